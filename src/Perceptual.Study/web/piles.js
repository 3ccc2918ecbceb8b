// Two versions side by side, each with the original behind it in the same place, so that to switch is no more than to
// change which is visible.
import { element } from './dom.js';
import { fit, zoomFor } from './layout.js';

export async function piles({ reference, left, right }, settings) {
  const originals = [reference, reference.cloneNode()];
  await originals[1].decode();
  const zoom = zoomFor(left, 2, 1, settings.zoom);
  for (const image of [left, right, ...originals])
    fit(image, zoom);
  left.alt = 'The left version';
  right.alt = 'The right version';
  for (const original of originals)
    original.alt = 'The original';
  const figures = [[left, originals[0], 'Left'], [right, originals[1], 'Right']].map(([version, original, label]) =>
    element('figure', {}, element('div', { class: 'pile' }, version, original), element('figcaption', {}, label)));
  const show = isOriginal => {
    for (const version of [left, right])
      version.classList.toggle('hidden', isOriginal);
    for (const original of originals)
      original.classList.toggle('hidden', !isOriginal);
  };
  show(false);
  return { board: element('div', { class: 'two' }, ...figures), show };
}
