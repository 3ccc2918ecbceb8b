// One image for a second, a pause, another for a second; were they the same? Timed by the clock of the frames.
import { element } from '../dom.js';
import { nextFrame } from '../frames.js';
import { buttons } from '../choice.js';
import { fit, zoomFor } from '../layout.js';

const WAIT = 500; // milliseconds of grey, with the cross that says where to look
const SHOWN = 1000;
const PAUSE = 250;

export async function run(stage, images, settings, frames) {
  const answer = buttons([
    { value: 'same', label: 'Same', key: 'ArrowLeft', name: '←' },
    { value: 'different', label: 'Different', key: 'ArrowRight', name: '→' },
  ]);
  const [first, second] = [images.left, images.right];
  const zoom = zoomFor(first, 1, 1, settings.zoom);
  for (const image of [first, second]) {
    fit(image, zoom);
    image.classList.add('hidden');
  }
  first.alt = 'The first image';
  second.alt = 'The second image';
  const cross = element('div', { class: 'cross', 'aria-hidden': 'true' }, '+');
  stage.replaceChildren(element('section', { class: 'trial' },
    element('h1', {}, settings.question), element('div', { class: 'pile one' }, first, second, cross), answer.bar));

  const start = await nextFrame();
  frames.note(start, 'cross');
  await until(start + WAIT);
  const one = await show(first, cross);
  frames.note(one, 'first');
  const two = await show(null, first, one + SHOWN);
  frames.note(two, 'pause');
  const three = await show(second, null, two + PAUSE);
  frames.note(three, 'second');
  const four = await show(null, second, three + SHOWN);
  frames.note(four, 'end');
  answer.enable();
  const { choice, time } = await answer.chosen;
  return { choice, milliseconds: time - four };

  // Changes what is visible at the frame whose time is nearest to a moment, and returns the time of that frame.
  async function show(image, before, time = 0) {
    const now = await until(time);
    before?.classList.add('hidden');
    image?.classList.remove('hidden');
    return now;
  }

  async function until(time) {
    for (; ;) {
      const now = await nextFrame();
      if (now >= time - frames.usual / 2)
        return now;
    }
  }
}
