// What goes wrong with pages. A defect is [kind, what it is called in the table]; `plant` runs in the page.
export const DEFECTS = {
  'right-1': 'moved by 1 px', 'down-1': 'moved by 1 px', 'left-2': 'moved by 2 px', 'up-2': 'moved by 2 px',
  'space-1': 'the rest of the page moved by 1 px',
  letter: 'a letter changed', digit: 'a digit changed', weight: 'wrong weight', truncated: 'text truncated',
  larger: 'text 1 px larger', underline: 'underline gone', 'icon-missing': 'icon missing', 'icon-wrong': 'wrong icon',
  'image-wrong': 'wrong image', missing: 'small element missing', 'fill-4': 'fill off by 4 levels',
  'fill-8': 'fill off by 8 levels', 'fill-16': 'fill off by 16 levels', 'text-16': 'text colour off by 16 levels',
  overlap: 'a box overlaps', border: 'border of 1 px gone', order: 'wrong z-order', shadow: 'shadow gone',
  corners: 'round corners gone', bar: 'a bar 2 px shorter',
};

// Plants one; false if the page has no place for it.
export function plant(kind, seed, random) {
  const next = random(seed);
  const [name, amount] = kind.match(/^(.*?)(?:-(\d+))?$/).slice(1);
  const few = Number(amount);
  const pick = mark => {
    const all = [...document.querySelectorAll(`[data-m~="${mark}"]`)].filter(element => {
      const { left, top, right, bottom } = element.getBoundingClientRect();
      return left >= 2 && top >= 2 && right <= innerWidth - 2 && bottom <= innerHeight - 2;
    });
    return all.length > 0 ? all[next.below(all.length)] : null;
  };
  const replaced = (element, pattern, by) => {
    const places = [...element.textContent.matchAll(pattern)].map(match => match.index);
    if (places.length === 0)
      return false;
    const at = next.of(places), text = element.textContent;
    element.textContent = text.slice(0, at) + by(text[at]) + text.slice(at + 1);
  };
  const other = (set, one) => next.of([...set].filter(each => each !== one));
  const shifted = (color, levels) => {
    const channels = color.match(/[\d.]+/g).map(Number);
    const which = next.below(4); // one of the channels, or all
    for (let k = 0; k < 3; k++)
      if (which === k || which === 3)
        channels[k] += channels[k] > 127 ? -levels : levels;
    return `rgb(${channels.slice(0, 3)})`;
  };
  const kinds = {
    right: () => move(1, 0), down: () => move(0, 1), left: () => move(-1, 0), up: () => move(0, -1),
    space: () => [document.querySelector('main'), e => e.style.paddingTop = '13px'],
    letter: () => [pick('text'), e => replaced(e, /[a-z]/g, one => other('abcdeghknopqsuvxyz', one))],
    digit: () => [pick('digits'), e => replaced(e, /\d/g, one => other('0123456789', one))],
    weight: () => [pick('text'), e => e.style.fontWeight = getComputedStyle(e).fontWeight > 500 ? 400 : 700],
    truncated: () => [pick('text'), e => e.textContent = e.textContent.slice(0, -2).trimEnd() + '…'],
    larger: () => [pick('text'), e => e.style.fontSize = parseFloat(getComputedStyle(e).fontSize) + 1 + 'px'],
    underline: () => [pick('link'), e => e.style.textDecoration = 'none'],
    'icon-missing': () => [pick('icon'), e => e.style.visibility = 'hidden'],
    'icon-wrong': () => [pick('icon'), e => e.firstChild.setAttribute('d', 'M10 3 L17 16 H3 Z M10 8 V12')],
    'image-wrong': () => [pick('img'), e => { e.src = e.dataset.other; return e.decode(); }],
    missing: () => [pick('part'), e => e.style.visibility = 'hidden'],
    fill: () => [pick('box'), e => e.style.backgroundColor = shifted(getComputedStyle(e).backgroundColor, few)],
    text: () => [pick('text'), e => e.style.color = shifted(getComputedStyle(e).color, few)],
    overlap: () => [pick('text'), e => {
      const back = getComputedStyle(document.querySelector('header')).backgroundColor;
      const at = e.getBoundingClientRect(), cover = document.createElement('div');
      cover.style.cssText = `position:fixed;left:${at.left + at.width / 2}px;top:${at.top + at.height / 2}px;`
        + `width:24px;height:14px;background:${back};border:1px solid #888`;
      document.body.append(cover);
    }],
    border: () => [pick('line'), e => e.style.borderColor = 'transparent'],
    order: () => [pick('stack'), e => e.firstChild.style.zIndex = 1],
    shadow: () => [pick('shadow'), e => e.style.boxShadow = 'none'],
    corners: () => [pick('round'), e => e.style.borderRadius = 0],
    bar: () => [pick('bar'), e => {
      e.setAttribute('height', e.getAttribute('height') - 2);
      e.setAttribute('y', Number(e.getAttribute('y')) + 2);
    }],
  };
  function move(x, y) {
    return [pick(next.of(['text', 'text', 'icon', 'box', 'img', 'stack', 'part'])),
      e => e.style.translate = `${x * few}px ${y * few}px`];
  }
  const [element, change] = (kinds[kind] ?? kinds[name])();
  return element === null ? false : Promise.resolve(change(element)).then(result => result !== false);
}
