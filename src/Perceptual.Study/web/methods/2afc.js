// A reference and two versions; which is closer? All three stay until the answer.
import { element } from '../dom.js';
import { nextFrame } from '../frames.js';
import { buttons, LEFT, RIGHT } from '../choice.js';
import { fit, zoomFor } from '../layout.js';

export async function run(stage, images, settings, frames) {
  const { reference, left, right } = images;
  const answer = buttons([LEFT, RIGHT]);
  const zooms = { beside: zoomFor(reference, 3, 1, settings.zoom), above: zoomFor(reference, 2, 2, settings.zoom) };
  const isBeside = zooms.beside >= zooms.above && window.innerWidth > window.innerHeight;
  for (const image of [reference, left, right])
    fit(image, isBeside ? zooms.beside : zooms.above);
  const figure = (name, image, label) => element('figure', { class: name }, image, element('figcaption', {}, label));
  reference.alt = 'The reference';
  left.alt = 'The left version';
  right.alt = 'The right version';
  stage.replaceChildren(element('section', { class: 'trial' },
    element('h1', {}, settings.question),
    element('div', { class: isBeside ? 'three beside' : 'three above' },
      figure('reference', reference, 'Reference'), figure('left', left, 'Left'), figure('right', right, 'Right')),
    answer.bar));
  const shown = await nextFrame();
  frames.note(shown, 'all');
  answer.enable();
  const { choice, time } = await answer.chosen;
  return { choice, milliseconds: time - shown };
}
