// Two versions, and in the place of both the original for as long as one wants; which differs more?
import { element } from '../dom.js';
import { nextFrame } from '../frames.js';
import { buttons, LEFT, NOT_SURE, RIGHT } from '../choice.js';
import { piles } from '../piles.js';

export async function run(stage, images, settings, frames) {
  const answer = buttons([LEFT, NOT_SURE, RIGHT]);
  const { board, show } = await piles(images, settings);
  let isOriginal = false;
  const toggle = element('button', {
    type: 'button', class: 'toggle', 'aria-pressed': 'false', onclick: () => change(),
  }, element('span', {}, 'Original'), element('kbd', { 'aria-hidden': 'true' }, 'space'));
  stage.replaceChildren(element('section', { class: 'trial' },
    element('h1', {}, settings.question), board, element('p', { class: 'switch' }, toggle), answer.bar));

  addEventListener('keydown', onKey);
  addEventListener('keyup', onKey);
  const shown = await nextFrame();
  frames.note(shown, 'versions');
  const { choice, time } = await answer.chosen;
  removeEventListener('keydown', onKey);
  removeEventListener('keyup', onKey);
  return { choice, milliseconds: time - shown };

  async function change() {
    const now = await nextFrame();
    isOriginal = !isOriginal;
    show(isOriginal);
    toggle.setAttribute('aria-pressed', `${isOriginal}`);
    frames.note(now, isOriginal ? 'original' : 'versions');
    if (!isOriginal)
      answer.enable(); // both were seen
  }

  function onKey(event) {
    if (event.key !== ' ')
      return;
    event.preventDefault();
    if (event.type === 'keydown' && !event.repeat)
      change();
  }
}
