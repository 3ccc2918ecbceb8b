// Talks to the server, and goes on trying where the connection fails: an answer is neither lost nor doubled, since the
// server knows it by the name that it was given when it was chosen.
import { sleep } from './dom.js';

const status = document.getElementById('status');
const LONGEST = 8000; // milliseconds between two tries

export class Refused extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

export async function post(settings, path, body) {
  for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST)) {
    try {
      const response = await fetch(`${settings.root}/api/${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', 'X-Csrf': settings.csrf },
        body: JSON.stringify(body ?? {}),
      });
      if (response.ok) {
        const result = await response.json();
        say('');
        return result;
      }
      if (response.status < 500 && response.status !== 429) {
        const { error } = await response.json().catch(() => ({ error: 'This did not work.' }));
        throw new Refused(response.status, error);
      }
      say('The server is busy. Trying again…');
    } catch (failure) {
      if (failure instanceof Refused) {
        say('');
        throw failure;
      }
      say('No connection. Your answers are kept; trying again…');
    }
    await sleep(pause);
  }
}

const loaded = new Map();

// An image that is decoded, so that it appears at the next frame. Asked for early, it is there when it is needed.
export function load(settings, id) {
  if (!loaded.has(id))
    loaded.set(id, decode(`${settings.root}/image/${id}`));
  return loaded.get(id);
}

export function forget(ids) {
  for (const id of ids)
    loaded.delete(id);
}

async function decode(address) {
  for (let pause = 500; ; pause = Math.min(2 * pause, LONGEST)) {
    const image = new Image();
    image.src = address;
    try {
      await image.decode();
      return image;
    } catch {
      say('An image does not load. Trying again…');
      await sleep(pause);
      say('');
    }
  }
}

function say(text) {
  if (status.textContent !== text)
    status.textContent = text;
}
