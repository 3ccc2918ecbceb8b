// Forty pages of our own, made from a seed each. What a defect can be planted in is marked by data-m: see defects.mjs.
import { random } from './random.mjs';

export const PAGES = 40, WIDTH = 640, HEIGHT = 480;

const WORDS = ('account annual average balance before budget calendar change client colour common costs current data '
  + 'delivery detail district early estimate evening export figure filter forecast garden general growth harbour '
  + 'history hourly import income invoice journal kitchen language ledger little local machine margin market member '
  + 'message minor monthly morning number office order package paper period picture planned price project quarter '
  + 'random record region report result river sample season second selected service shared simple station street '
  + 'summer supply system target teacher title total travel update value village volume weather weekly window winter')
  .split(' ');

const ICONS = ['M3 11 L10 4 L17 11 V17 H3 Z', 'M9 3 A6 6 0 1 0 9 15 A6 6 0 1 0 9 3 M13 13 L18 18',
  'M10 2 L12.5 7.5 L18 8 L14 12 L15 18 L10 15 L5 18 L6 12 L2 8 L7.5 7.5 Z', 'M4 10 L8 15 L16 5',
  'M4 4 L16 16 M16 4 L4 16', 'M3 5 H17 M3 10 H17 M3 15 H17', 'M10 3 V17 M3 10 H17',
  'M10 3 A4 4 0 1 0 10 11 A4 4 0 1 0 10 3 M3 18 C4 12 16 12 17 18',
  'M4 8 A6 6 0 0 1 16 8 V13 L18 15 H2 L4 13 Z M8 17 H12', 'M3 4 H17 V16 H3 Z M3 8 H17 M7 2 V6 M13 2 V6',
  'M10 17 L3 10 A4 4 0 0 1 10 5 A4 4 0 0 1 17 10 Z', 'M4 3 H12 L16 7 V17 H4 Z M12 3 V7 H16'];

const FONTS = ['Liberation Sans', 'DejaVu Sans', 'Liberation Serif', 'DejaVu Serif', 'Liberation Sans', 'DejaVu Sans'];

export function page(number) {
  const next = random(1000 + number);
  const dark = number % 2 === 1;
  const style = {
    back: dark ? next.of(['#14171c', '#1e1e2a', '#101a1a', '#202020']) : next.of(['#ffffff', '#fbfaf6', '#f4f6fa']),
    text: dark ? next.of(['#dde3ea', '#e8e8e8', '#c8d0c8']) : next.of(['#1c1f24', '#222222', '#303848']),
    faint: dark ? '#98a2ae' : '#667080',
    panel: dark ? next.of(['#232933', '#2c2c3c', '#1c2a2a']) : next.of(['#eef1f5', '#e8ece8', '#f2eee6']),
    line: dark ? '#454d58' : '#c4ccd4',
    accent: next.of(['#2266cc', '#0a7d4f', '#b0372b', '#7a3fb5', '#b86a00', '#0f7f8c']),
    font: next.of(FONTS), size: next.of([13, 14, 14, 15, 16]), radius: next.of([3, 5, 8]),
  };
  const body = TEMPLATES[number % TEMPLATES.length](parts(next, style), next, style);
  return `<!doctype html><html lang=en><meta charset=utf-8><title>${number}</title><style>${css(style)}</style>`
    + `<body>${header(parts(next, style), next)}<main>${body}</main></body></html>`;
}

function css({ back, text, faint, panel, line, accent, font, size, radius }) {
  return `
    * { box-sizing: border-box } body { margin: 0; width: ${WIDTH}px; height: ${HEIGHT}px; overflow: hidden;
      background: ${back}; color: ${text}; font: ${size}px/1.4 '${font}' }
    header { display: flex; white-space: nowrap; gap: 10px; align-items: center; padding: 8px 14px; background: ${panel};
      border-bottom: 1px solid ${line} }
    main { padding: 12px 14px } h1 { font-size: ${size + 5}px; margin: 0 }
    h2 { font-size: ${size + 2}px; margin: 0 0 6px } p { margin: 0 0 8px } span { display: inline-block }
    .grow { flex: 1 } .faint { color: ${faint} } .right { text-align: right }
    .button { display: inline-block; background: ${accent}; color: #fff; padding: 4px 12px; border-radius: ${radius}px }
    .plain { background: ${panel}; color: ${text}; border: 1px solid ${line} }
    .panel { background: ${panel}; border: 1px solid ${line}; border-radius: ${radius}px; padding: 10px;
      box-shadow: 0 1px 4px #0004 }
    .row { display: flex; gap: 10px; align-items: center } .top { align-items: start }
    .grid { display: grid; gap: 12px } table { border-collapse: collapse; width: 100% }
    td, th { border-bottom: 1px solid ${line}; padding: 4px 8px; text-align: left }
    .stack { position: relative; width: 34px; height: 26px; flex: none }
    .stack i { position: absolute; width: 20px; height: 20px; border-radius: 4px }
    .badge { background: ${accent}; color: #fff; border-radius: 9px; padding: 0 7px; font-size: 12px;
      display: inline-block }
    a { color: ${accent}; display: inline-block; text-decoration: underline }
    svg, img { flex: none; vertical-align: middle } pre { margin: 0; font: ${size - 1}px/1.5 'Liberation Mono' }
    .input { border: 1px solid ${line}; border-radius: ${radius}px; padding: 4px 8px; background: ${back} }
    .box { width: 14px; height: 14px; border: 1px solid ${faint} } .on { background: ${accent} }
    .below { margin-bottom: 8px } .above { margin-top: 12px } .small { font-size: 12px } .strong { font-weight: bold }`;
}

// What pages consist of.
function parts(next, style) {
  const capital = word => word[0].toUpperCase() + word.slice(1);
  const words = (least, most) => capital(
    Array.from({ length: least + next.below(most - least + 1) }, () => next.of(WORDS)).join(' '));
  const amount = () => `${next.below(90) + 10},${String(next.below(1000)).padStart(3, '0')}.${next.below(90) + 10}`;
  return {
    words, amount,
    text: (least, most, tag = 'span', more = '') => `<${tag} data-m=text ${more}>${words(least, most)}</${tag}>`,
    number: (tag = 'span', more = '') => `<${tag} data-m="text digits" ${more}>${amount()}</${tag}>`,
    icon: (size = 20) => `<svg data-m=icon width=${size} height=${size} viewBox="0 0 20 20" fill=none stroke="`
      + `${next.of([style.text, style.accent, style.faint])}" stroke-width=1.6><path d="${next.of(ICONS)}"/></svg>`,
    button: (kind = '') => `<span class="button ${kind}" data-m="box text${kind ? ' line' : ''}">${words(1, 2)}</span>`,
    badge: () => `<span class=badge data-m="part digits">${next.below(90) + 10}</span>`,
    link: () => `<a data-m="text link">${words(1, 2)}</a>`,
    picture: (width, height) => `<img data-m=img width=${width} height=${height} src="${picture(next, width, height)}" `
      + `data-other="${picture(next, width, height)}">`,
    stack: () => `<div class=stack data-m=stack><i style="left:0;top:0;background:${style.accent}"></i>`
      + `<i style="left:10px;top:5px;background:${next.of(['#e8a030', '#58a868', '#c05878'])}"></i></div>`,
    panel: (inner, more = '') => `<div class=panel data-m="box line shadow round" ${more}>${inner}</div>`,
    box: on => `<span class="box ${on ? 'on' : ''}" data-m="part line"></span>`,
  };
}

// A painted landscape: a sky, a sun, hills with a texture.
function picture(next, width, height) {
  const colour = () => `hsl(${next.below(360)},${30 + next.below(50)}%,${25 + next.below(50)}%)`;
  const hill = () => `<path d="M0 ${height} L0 ${height * (0.4 + next() * 0.4)} Q${width * next()} ${height * next()} `
    + `${width} ${height * (0.4 + next() * 0.4)} V${height} Z" fill="${colour()}"/>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">`
    + `<defs><linearGradient id="g" x2="0" y2="1"><stop stop-color="${colour()}"/><stop offset="1" stop-color="`
    + `${colour()}"/></linearGradient><filter id="t"><feTurbulence baseFrequency="${0.05 + next() * 0.2}" seed="`
    + `${next.below(99)}"/><feComposite in2="SourceGraphic" operator="in"/></filter></defs>`
    + `<rect width="100%" height="100%" fill="url(#g)"/><circle cx="${width * next()}" cy="${height * 0.3 * next()}" `
    + `r="${height * (0.08 + next() * 0.15)}" fill="${colour()}"/>${hill()}${hill()}`
    + `<rect y="60%" width="100%" height="40%" opacity=".5" filter="url(#t)"/></svg>`;
  return 'data:image/svg+xml,' + encodeURIComponent(svg);
}

function header(part, next) {
  return `<header>${part.icon(22)}${part.text(1, 2, 'h1')}<span class=grow></span>${part.link()}${part.badge()}`
    + `${part.stack()}${part.button()}${next.below(2) ? part.button('plain') : part.icon()}</header>`;
}

const times = (count, make) => Array.from({ length: count }, (_, k) => make(k)).join('');

const TEMPLATES = [
  function article(part) {
    const paragraphs = times(3, () => part.text(24, 40, 'p'));
    const aside = part.panel(part.text(2, 3, 'h2') + part.text(5, 9, 'p') + part.number());
    return `<div class="row top"><div class=grow>${part.text(3, 5, 'h2')}${paragraphs}</div><div style="width:190px">`
      + `${part.picture(190, 110)}${part.text(5, 8, 'p', 'class="faint small"')}${aside}</div></div>`;
  },
  function table(part, next) {
    const row = () => `<tr><td>${part.text(1, 3)}</td><td>${part.badge()} ${part.text(1, 1)}</td>`
      + `<td class=right>${part.number()}</td><td class=right>${part.number()} `
      + `${next.below(2) ? part.icon(14) : ''}</td></tr>`;
    return `<div class="row below">${part.text(2, 3, 'h2', 'class=grow')}${part.picture(72, 34)}${part.button('plain')}`
      + `</div>${part.panel(`<table><tr>${times(4, () => part.text(1, 1, 'th'))}</tr>${times(9, row)}</table>`)}`;
  },
  function bars(part, next, style) {
    const label = (x, y, anchor, colour, text) =>
      `<text x=${x} y=${y} text-anchor=${anchor} font-size=11 fill="${colour}">${text}</text>`;
    const scale = k => `<path d="M36 ${30 + k * 36}.5 H570" stroke="${style.line}"/>`
      + label(30, 34 + k * 36, 'end', style.faint, 250 - k * 50);
    const bar = k => {
      const [x, height] = [44 + k * 44, 30 + next.below(150)];
      return `<rect data-m=bar x=${x} y=${210 - height} width=26 height=${height} fill="${style.accent}"/>`
        + label(x + 13, 226, 'middle', style.text, next.of(WORDS).slice(0, 5));
    };
    const chart = `<svg width=580 height=236>${times(6, scale)}${times(12, bar)}</svg>`;
    return `${part.text(3, 4, 'h2')}${part.panel(chart)}<div class="row above">${part.picture(90, 56)}`
      + `${part.text(8, 12, 'p', 'class="faint grow"')}${part.number()}${part.icon()}</div>`;
  },
  function lines(part, next, style) {
    const curve = colour => `<path fill=none stroke="${colour}" stroke-width=1.5 d="M40 ${60 + next.below(80)} `
      + `${times(13, k => `L${80 + k * 40} ${20 + next.below(150)} `)}"/>`;
    const scale = k => `<path d="M40 ${20 + k * 38}.5 H590" stroke="${style.line}"/>`;
    const chart = '<svg width=100% height=190 viewBox="0 0 600 190" preserveAspectRatio=none>'
      + `${times(5, scale)}${[style.accent, '#e09030', '#58a868'].map(curve).join('')}</svg>`;
    const value = () => `<p class=row>${part.icon(16)}${part.text(1, 2, 'span', 'class=grow')}${part.number()}</p>`;
    return `<div class=grid style="grid-template-columns:2fr 1fr">${part.panel(part.text(2, 3, 'h2') + chart)}`
      + `<div>${times(4, value)}${part.picture(180, 90)}</div></div>${part.text(14, 22, 'p', 'class=above')}`
      + `<div class=row>${part.button()}${part.button('plain')}${part.link()}</div>`;
  },
  function form(part) {
    const field = () => `<div>${part.text(1, 2, 'span', 'class=strong')}`
      + `<div class=input data-m="box line">${part.text(1, 3)}</div></div>`;
    const note = part.panel(part.text(8, 14, 'p', 'class=faint') + part.number(), 'style="flex:1"');
    return `<div class=grid style="grid-template-columns:1fr 1fr">${times(6, field)}</div>`
      + `<div class="row above below">${times(4, k => part.box(k % 2) + part.text(1, 2))}</div>`
      + `<div class=row>${part.picture(120, 80)}${note}</div><div class="row above">${part.button()}`
      + `${part.button('plain')}${part.link()}${part.icon()}</div>`;
  },
  function cards(part) {
    const card = () => part.panel(`${part.picture(172, 66)}<div class=row>${part.text(1, 2, 'span', 'class=grow')}`
      + `${part.icon(16)}</div><div class=row>${part.number('span', 'class="grow strong"')}${part.badge()}</div>`);
    return `<div class=grid style="grid-template-columns:repeat(3,1fr)">${times(6, card)}</div>`;
  },
  function icons(part) {
    const tile = k => part.panel(
      k === 7 ? part.picture(70, 40) : part.icon(24) + part.text(1, 1, 'div', 'class=small'),
      'style="text-align:center;padding:6px;height:70px"');
    return `${part.text(2, 4, 'h2')}<div class=grid style="grid-template-columns:repeat(6,1fr)">`
      + `${times(24, tile)}</div><div class="row above">${part.number()}${part.text(4, 6)}</div>`;
  },
  function settings(part, next, style) {
    const entry = k => `<div class=row data-m=box style="padding:5px;background:${k === 2 ? '#808080' : style.panel}">`
      + `${part.icon(16)}${part.text(1, 1)}</div>`;
    const setting = k => part.panel(`<div class=row>${part.text(2, 3, 'span', 'class=grow')}${part.box(k % 2)}`
      + `${k % 3 ? part.number() : part.badge()}</div>`, 'style="margin-bottom:8px"');
    return `<div class="row top"><div style="width:150px">${times(7, entry)}${part.picture(140, 80)}</div>`
      + `<div class=grow>${times(6, setting)}</div></div>`;
  },
  function chat(part) {
    const text = () => part.panel(part.text(8, 18, 'p') + part.number('span', 'class="faint small"'),
      'style="max-width:420px"');
    const message = k => `<div class="row below" style="${k % 2 ? 'flex-direction:row-reverse' : ''}">`
      + `${k === 3 ? part.icon(28) : part.picture(36, 36)}${text()}</div>`;
    return `${times(4, message)}<div class=row><div class="input grow" data-m="box line">${part.text(3, 5)}</div>`
      + `${part.button()}</div>`;
  },
  function code(part, next, style) {
    const statement = () => `${next.of(['let', 'for', 'if', 'return'])} ${next.of(WORDS)} = ${next.of(WORDS)}`
      + `(${next.below(90) + 10}, "${next.of(WORDS)}");`;
    const comment = () => ` <span data-m=text style="color:${style.accent}">// ${part.words(2, 4)}</span>`;
    const line = k => `<div><span class=faint style="width:28px">${k + 1}</span><span data-m="text digits" `
      + `style="margin-left:${next.below(3) * 16}px">${statement()}</span>${next.below(3) ? '' : comment()}</div>`;
    return `<div class="row below">${part.icon()}${part.text(1, 2, 'h2', 'class=grow')}${part.picture(60, 36)}`
      + `${part.button('plain')}</div>${part.panel(`<pre>${times(15, line)}</pre>`)}`;
  },
  function calendar(part, next) {
    const day = k => `<div class=input data-m="box line" style="height:60px;padding:2px 5px">`
      + `<span data-m="text digits">${k % 31 + 1}</span>`
      + `${next.below(3) ? '' : `<div class=badge data-m=part>${next.of(WORDS).slice(0, 6)}</div>`}</div>`;
    return `<div class="row below">${part.icon()}${part.text(1, 1, 'h2', 'class=grow')}${part.picture(80, 40)}`
      + `${part.button('plain')}</div><div class=grid style="grid-template-columns:repeat(7,1fr);gap:4px">`
      + `${times(35, day)}</div>`;
  },
  function prices(part) {
    const feature = () => `<div class=row>${part.icon(14)}${part.text(1, 2)}</div>`;
    const offer = k => part.panel(`${part.text(1, 1, 'h2')}<div style="font-size:26px">${part.number()}</div>`
      + `${times(5, feature)}<div class=above>${part.button(k === 1 ? '' : 'plain')}</div>`);
    return `<div class=grid style="grid-template-columns:repeat(3,1fr)">${times(3, offer)}</div>`
      + `<div class="row above">${part.picture(150, 90)}<div>${part.text(10, 16, 'p')}${part.link()} ${part.number()}`
      + '</div></div>';
  },
];
