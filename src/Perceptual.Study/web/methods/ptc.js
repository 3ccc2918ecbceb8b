// Two versions, and in the place of both the original for as long as one wants; which differs more?
import { element } from '../dom.js';
import { nextFrame } from '../frames.js';
import { buttons, LEFT, NOT_SURE, RIGHT } from '../choice.js';
import { fit, zoomFor } from '../layout.js';

export async function run(stage, images, settings, frames) {
  const { reference, left, right } = images;
  const answer = buttons([LEFT, NOT_SURE, RIGHT]);
  const originals = [reference, reference.cloneNode()];
  await originals[1].decode();
  const zoom = zoomFor(left, 2, 1, settings.zoom);
  for (const image of [left, right, ...originals])
    fit(image, zoom);
  left.alt = 'The left version';
  right.alt = 'The right version';
  for (const original of originals)
    original.alt = 'The original';

  // Both are always there, one above the other, so that to switch is no more than to change which is visible.
  const places = [[left, originals[0], 'Left'], [right, originals[1], 'Right']].map(([version, original, label]) =>
    element('figure', {}, element('div', { class: 'pile' }, version, original), element('figcaption', {}, label)));
  let isOriginal = false;
  const toggle = element('button', {
    type: 'button', class: 'toggle', 'aria-pressed': 'false', onclick: () => change(),
  }, element('span', {}, 'Original'), element('kbd', { 'aria-hidden': 'true' }, 'space'));
  show();
  stage.replaceChildren(element('section', { class: 'trial' },
    element('h1', {}, settings.question), element('div', { class: 'two' }, ...places),
    element('p', { class: 'switch' }, toggle), answer.bar));

  addEventListener('keydown', onKey);
  addEventListener('keyup', onKey);
  const shown = await nextFrame();
  frames.note(shown, 'versions');
  const { choice, time } = await answer.chosen;
  removeEventListener('keydown', onKey);
  removeEventListener('keyup', onKey);
  return { choice, milliseconds: time - shown };

  function show() {
    for (const image of [left, right])
      image.classList.toggle('hidden', isOriginal);
    for (const original of originals)
      original.classList.toggle('hidden', !isOriginal);
    toggle.setAttribute('aria-pressed', `${isOriginal}`);
  }

  async function change() {
    isOriginal = !isOriginal;
    frames.note(await nextFrame(), isOriginal ? 'original' : 'versions');
    show();
    if (!isOriginal)
      answer.enable(); // seen both, at least once
  }

  function onKey(event) {
    if (event.key !== ' ')
      return;
    event.preventDefault();
    if (event.type === 'keydown' && !event.repeat)
      change();
  }
}
