// Two boosted versions, each of which flickers with the original; which flickers more? Timed by the clock, so that the
// rate is the same on every screen.
import { element } from '../dom.js';
import { nextFrame } from '../frames.js';
import { buttons, LEFT, NOT_SURE, RIGHT } from '../choice.js';
import { piles } from '../piles.js';

const HALF = 100; // milliseconds for which each is shown: 10 changes a second

export async function run(stage, images, settings, frames) {
  const answer = buttons([LEFT, NOT_SURE, RIGHT]);
  const { board, show } = await piles(images, settings);
  stage.replaceChildren(element('section', { class: 'trial' },
    element('h1', {}, settings.question), board, answer.bar));
  const start = await nextFrame();
  frames.note(start, 'versions');
  answer.enable();
  let isOver = false;
  flicker();
  const { choice, time } = await answer.chosen;
  isOver = true;
  return { choice, milliseconds: time - start };

  async function flicker() {
    for (let was = 0; !isOver;) {
      const now = await nextFrame();
      const phase = Math.floor((now - start) / HALF) % 2;
      if (phase !== was && !isOver) {
        show(phase === 1);
        frames.note(now, phase === 1 ? 'original' : 'versions');
        was = phase;
      }
    }
  }
}
