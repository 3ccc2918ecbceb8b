// What is found out before the trials: the refresh rate, the size of the screen by a card, whether colours are seen.
import { element, page, paragraph } from './dom.js';
import { measureRefreshRate } from './frames.js';

const CARD = { width: 85.6, height: 53.98 }; // millimetres, ISO/IEC 7810 ID-1

export async function prepare(stage, settings) {
  const profile = {
    pixelsPerMillimetre: settings.calibrateScreen ? await measureCard(stage) : null,
    platesRead: null,
    platesShown: null,
  };
  if (settings.colourVision)
    Object.assign(profile, await readPlates(stage));
  profile.refreshRate = await measureRefreshRate();
  profile.width = window.innerWidth;
  profile.height = window.innerHeight;
  profile.pixelRatio = window.devicePixelRatio || 1;
  return profile;
}

async function measureCard(stage) {
  const most = Math.min(window.innerWidth - 48, 640);
  const isUpright = most < 480; // the card is wider than a phone
  const [across, along] = isUpright ? [CARD.height, CARD.width] : [CARD.width, CARD.height];
  const card = element('div', { class: 'card', 'aria-hidden': 'true' });
  const slider = element('input', { type: 'range', id: 'card', min: 120, max: most, step: 1,
    value: Math.min(Math.round(3.78 * across), most) }); // 96 pixels an inch, to begin with
  const size = () => {
    card.style.width = `${slider.value}px`;
    card.style.height = `${Math.min(slider.value * along / across, 260)}px`;
  };
  slider.oninput = size;
  size();
  const none = element('input', { type: 'checkbox', id: 'none' });
  await page(stage, 'The size of your screen', [
    paragraph(isUpright
      ? 'Hold a bank card, or any card of that size, upright against the screen. Move the slider until the rectangle '
        + 'is as wide as the short side of the card.'
      : 'Hold a bank card, or any card of that size, against the screen. Move the slider until the rectangle is as '
        + 'wide as the card. The arrow keys move it too.'),
    card,
    element('p', { class: 'field' }, element('label', { for: 'card' }, 'Width of the rectangle'), slider),
    element('p', { class: 'check' }, none, element('label', { for: 'none' }, 'I have no such card')),
  ], 'It fits');
  return none.checked ? null : Number(slider.value) / across;
}

// Digits of dots that differ from the dots around them in hue, and not in lightness. The first is for everybody.
const PLATES = [
  { figure: [[30, 75], [38, 80]], ground: [[215, 45], [205, 40]] },
  { figure: [[22, 52], [30, 58]], ground: [[72, 42], [84, 46]] },
  { figure: [[350, 38], [0, 42]], ground: [[150, 24], [165, 28]] },
  { figure: [[88, 44], [76, 48]], ground: [[32, 52], [24, 56]] },
];

async function readPlates(stage) {
  let platesRead = 0;
  for (const [i, plate] of PLATES.entries()) {
    const digit = 2 + Math.floor(8 * Math.random());
    if (await readPlate(stage, plate, digit, i) === digit)
      platesRead++;
  }
  return { platesRead, platesShown: PLATES.length };
}

function readPlate(stage, plate, digit, number) {
  return new Promise(resolve => {
    const canvas = element('canvas', { width: 600, height: 600, class: 'plate', role: 'img',
      'aria-label': 'A digit made of coloured dots' });
    draw(canvas, plate, digit);
    const choices = [...Array(10).keys()].map(value =>
      element('button', { type: 'button', onclick: () => choose(value) }, `${value}`));
    const none = element('button', { type: 'button', onclick: () => choose(null) }, 'None');
    stage.replaceChildren(element('section', { class: 'text' },
      element('h1', {}, `Which digit do you see? (${number + 1} of ${PLATES.length})`), canvas,
      element('div', { class: 'digits' }, ...choices, none),
      paragraph('The keys 0 to 9 do the same; N for none.')));
    addEventListener('keydown', onKey);

    function onKey(event) {
      if (/^[0-9]$/.test(event.key))
        choose(Number(event.key));
      else if (event.key.toLowerCase() === 'n')
        choose(null);
    }

    function choose(value) {
      removeEventListener('keydown', onKey);
      resolve(value);
    }
  });
}

function draw(canvas, plate, digit) {
  const { width } = canvas;
  const mask = new OffscreenCanvas(width, width).getContext('2d', { willReadFrequently: true });
  mask.font = `bold ${0.8 * width}px sans-serif`;
  mask.textAlign = 'center';
  mask.textBaseline = 'middle';
  mask.fillText(`${digit}`, width / 2, 0.54 * width);
  const inside = mask.getImageData(0, 0, width, width).data;
  const context = canvas.getContext('2d');
  const dots = [];
  for (let i = 0; i < 12000; i++) {
    const radius = 5 + 9 * Math.random() * (1 - i / 12000);
    const [x, y] = [Math.random() * width, Math.random() * width];
    if (Math.hypot(x - width / 2, y - width / 2) > width / 2 - radius
        || dots.some(dot => Math.hypot(x - dot.x, y - dot.y) < radius + dot.radius + 1))
      continue;
    dots.push({ x, y, radius });
    const isFigure = inside[4 * (Math.round(y) * width + Math.round(x)) + 3] > 127;
    const hues = isFigure ? plate.figure : plate.ground;
    const [hue, saturation] = hues[Math.floor(hues.length * Math.random())];
    context.fillStyle = `hsl(${hue} ${saturation}% ${42 + 22 * Math.random()}%)`;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}
