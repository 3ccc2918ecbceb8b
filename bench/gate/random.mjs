// Random numbers with the same values everywhere (mulberry32). It has no closure, so that a page can be given its text.
export function random(seed) {
  let state = seed * 0x9e3779b1 | 0;
  const next = () => {
    state = state + 0x6d2b79f5 | 0;
    let t = Math.imul(state ^ state >>> 15, 1 | state);
    t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
    return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
  };
  next.below = count => Math.floor(next() * count);
  next.of = list => list[next.below(list.length)];
  return next;
}
