// The clock of what is on the screen: requestAnimationFrame, every frame of which is written down.

const LATE = 1.5; // of the usual time between two frames
const MOST = 4000; // frames that are written down

let usual = 1000 / 60;

export const nextFrame = () => new Promise(resolve => requestAnimationFrame(resolve));

// Frames a second, by the median of the times between them.
export async function measureRefreshRate(frames = 40) {
  const times = [];
  for (let i = 0; i <= frames; i++)
    times.push(await nextFrame());
  const deltas = times.slice(1).map((time, i) => time - times[i]).sort((a, b) => a - b);
  usual = deltas[deltas.length >> 1] || usual;
  return 1000 / usual;
}

export class Frames {
  deltas = []; // tenths of milliseconds
  dropped = 0;
  usual = usual; // milliseconds between two
  seen = []; // [milliseconds, what]: what was put on the screen when
  #running = true;
  #last = 0;

  constructor() {
    const tick = time => {
      if (!this.#running)
        return;
      if (this.#last > 0) {
        const delta = time - this.#last;
        if (this.deltas.length < MOST)
          this.deltas.push(Math.round(10 * delta));
        if (delta > LATE * usual)
          this.dropped++;
      } else {
        this.first = time;
      }
      this.#last = time;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  }

  note(time, what) {
    this.seen.push([Math.round(10 * (time - (this.first ?? time))) / 10, what]);
  }

  stop() {
    this.#running = false;
  }
}
