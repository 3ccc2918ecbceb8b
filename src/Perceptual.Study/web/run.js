// The run of a person through the study.
import { element, page, paragraph, sleep } from './dom.js';
import { forget, load, post, Refused } from './net.js';
import { Frames, measureRefreshRate } from './frames.js';
import { prepare } from './prepare.js';

const GAP = 400; // milliseconds of grey between two trials

const stage = document.getElementById('stage');
const settings = JSON.parse(stage.dataset.settings);
const method = await import(`./methods/${settings.method}.js`);
const link = new URL(settings.root + settings.link, location.href).href;
const kept = `perceptual-study ${settings.link}`; // what this browser keeps of this session

try {
  await resend();
  await begin();
  await trials();
} catch (failure) {
  if (!(failure instanceof Refused))
    console.error(failure);
  await page(stage, 'This did not work', [paragraph(failure.message)], 'Try again');
  location.reload();
}

async function begin() {
  if (read().prepared)
    await measureRefreshRate();
  else {
    const profile = await prepare(stage, settings);
    await post(settings, 'prepare', profile);
    write({ ...read(), prepared: true });
  }
  await page(stage, 'What to do', [
    ...settings.instructions.map(paragraph),
    paragraph('If you have to stop, go on later with this link, here or on another device:'),
    element('p', { class: 'link' }, element('a', { href: link }, link)),
  ], 'Start');
  if (settings.fullScreen)
    await document.documentElement.requestFullscreen?.().catch(() => {}); // a phone may not have it
}

async function trials() {
  let rested = 0;
  for (; ;) {
    const progress = await post(settings, 'next');
    if (progress.next.length === 0)
      return finish(progress.completionCode);
    const [trial, ...later] = progress.next;
    for (const one of progress.next)
      for (const id of Object.values(one.images))
        load(settings, id);
    if (!trial.isPractice && settings.breakEvery > 0 && progress.answered > rested
        && progress.answered % settings.breakEvery === 0) {
      rested = progress.answered;
      await rest(progress);
    }
    try {
      await one(trial, progress);
    } catch (failure) {
      if (!(failure instanceof Refused && [409, 410].includes(failure.code)))
        throw failure; // otherwise it is judged already, in another window or by others
    }
    forget(Object.values(trial.images));
    if (later.length === 0)
      stage.replaceChildren();
  }
}

async function one(trial, progress) {
  const images = {};
  stage.replaceChildren();
  const pause = sleep(GAP);
  for (const [place, id] of Object.entries(trial.images))
    images[place] = await load(settings, id);
  await pause;
  const frames = new Frames();
  const bar = element('progress', { max: progress.total, value: progress.answered, 'aria-label': 'Trials done' });
  const board = element('div');
  stage.replaceChildren(board, element('p', { class: 'progress' }, bar,
    trial.isPractice ? 'For practice' : `${progress.answered + 1} of ${progress.total}`));
  const { choice, milliseconds } = await method.run(board, images, settings, frames);
  frames.stop();
  write({ ...read(), pending: {
    client: newName(),
    trial: trial.id,
    choice,
    milliseconds: Math.max(0, Math.round(milliseconds)),
    dropped: frames.dropped,
    frames: frames.deltas,
    seen: frames.seen,
  } });
  const right = await send();
  if (right !== null)
    await page(stage, right ? 'Right' : 'Not quite',
      [paragraph(right ? 'That is what most people see.' : 'Most people see it the other way. Take your time.')]);
}

// crypto.randomUUID is not there on plain http.
function newName() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map(byte => byte.toString(16).padStart(2, '0')).join('');
}

// Sends the answer that this browser keeps until the server has it.
async function send() {
  const { right } = await post(settings, 'answer', read().pending);
  const { pending, ...rest } = read();
  write(rest);
  return right;
}

async function resend() {
  if (!read().pending)
    return;
  try {
    await send();
  } catch (failure) {
    if (!(failure instanceof Refused))
      throw failure;
    const { pending, ...rest } = read();
    write(rest); // it is judged already
  }
}

function rest(progress) {
  return page(stage, 'Time for a break', [
    paragraph(`${progress.answered} of ${progress.total} are done. Rest your eyes for a moment.`),
    paragraph('You can also go on later, with this link:'),
    element('p', { class: 'link' }, element('a', { href: link }, link)),
  ]);
}

function finish(code) {
  const words = [paragraph('Thank you. All your answers have arrived.')];
  if (code)
    words.push(paragraph('Your completion code is:'), element('p', { class: 'code' }, code));
  if (document.fullscreenElement)
    document.exitFullscreen();
  stage.replaceChildren(element('section', { class: 'text' }, element('h1', { tabIndex: -1 }, 'Done'), ...words));
  stage.querySelector('h1').focus();
}

// Where nothing can be kept, as in some private windows, it is kept until the page is closed.
function read() {
  try {
    return JSON.parse(localStorage.getItem(kept)) ?? {};
  } catch {
    return globalThis.keptHere ?? {};
  }
}

function write(value) {
  globalThis.keptHere = value;
  try {
    localStorage.setItem(kept, JSON.stringify(value));
  } catch {
    // keptHere has it
  }
}
