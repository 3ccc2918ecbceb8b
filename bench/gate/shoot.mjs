// Renders the pages: out/baseline/PAGE/NAME.png is the page as it should be, out/actual/PAGE/NAME.png what became of
// it, under a condition that changes nothing for a person (NAME begins with "same-") or with a planted defect. Pictures
// that are there already are not made again.
import fs from 'node:fs';
import otherBuild from '@sparticuz/chromium';
import { chromium } from 'playwright-core';
import sharp from 'sharp';
import { DEFECTS, plant } from './defects.mjs';
import { HEIGHT, PAGES, WIDTH, page as makePage } from './pages.mjs';
import { random } from './random.mjs';

const out = `${import.meta.dirname}/out`, pages = Number(process.argv[2] ?? PAGES);
const system = process.env.CHROMIUM ?? '/usr/bin/chromium';
fs.mkdirSync(out, { recursive: true });

// A configuration of fonts that has the last word.
function fonts(name, settings) {
  const edits = Object.entries(settings).map(([key, value]) => `<edit name="${key}" mode="assign">${value}</edit>`);
  const file = `${out}/${name}.conf`;
  fs.writeFileSync(file, '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
    + '<include>/etc/fonts/fonts.conf</include>' + ['pattern', 'font'].map(
      target => `<match target="${target}">${edits.join('')}</match>`).join('') + '</fontconfig>');
  return { ...process.env, FONTCONFIG_FILE: file };
}

const resized = kernel => shot => sharp(shot).resize(WIDTH, HEIGHT, { kernel }).png().toBuffer();
const jpeg = (quality, chromaSubsampling) => async shot =>
  sharp(await sharp(shot).jpeg({ quality, chromaSubsampling }).toBuffer()).png().toBuffer();

const CONDITIONS = {
  'hinting-none': { env: fonts('unhinted', { hinting: '<bool>false</bool>', hintstyle: '<const>hintnone</const>' }) },
  'hinting-full': { env: fonts('hinted', { hinting: '<bool>true</bool>', hintstyle: '<const>hintfull</const>' }) },
  'whole-pixels': { args: ['--disable-font-subpixel-positioning'] },
  'lcd': { args: ['--enable-lcd-text'], env: fonts('lcd', { rgba: '<const>rgb</const>' }) },
  'aliased': { env: fonts('aliased', { antialias: '<bool>false</bool>', hintstyle: '<const>hintnone</const>' }) },
  'scale-2': { scale: 2, after: resized('linear') },
  'scale-2-lanczos': { scale: 2, after: resized('lanczos3') },
  'jpeg-95': { after: jpeg(95, '4:4:4') },
  'jpeg-95-420': { after: jpeg(95, '4:2:0') },
  'gpu-raster': { args: ['--enable-gpu-rasterization', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'] },
  'small-tiles': { args: ['--default-tile-width=64', '--default-tile-height=64', '--num-raster-threads=4'] },
  'layers': { css: 'main,header,.panel{will-change:transform}' },
  'geometric': { css: 'body{text-rendering:geometricPrecision}' },
  'shifted': { css: 'main{translate:.3px .2px}' },
  'heading-shifted': { css: 'h1{translate:.3px .2px}' },
  'other-build': { path: await otherBuild.executablePath() },
};

// Boxes and lines of text: where one begins elsewhere, a person sees that the page was laid out anew.
function layout() {
  const boxes = [...document.querySelectorAll('body *')].map(element => element.getBoundingClientRect());
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  for (let text; text = texts.nextNode();) {
    range.selectNodeContents(text);
    boxes.push(...range.getClientRects());
  }
  return boxes.map(({ left, top }) => [left, top]);
}
// How far the page's boxes and lines have moved at most, in pixels.
const moved = (one, other) => one.length !== other.length ? 1e9
  : Math.max(...one.flatMap((at, k) => [Math.abs(at[0] - other[k][0]), Math.abs(at[1] - other[k][1])]));

// Work for each page, with a function that shoots it; several at a time.
async function launched({ args = [], env = process.env, scale = 1, path = system }, work) {
  const browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox', ...args], env });
  const numbers = Array.from({ length: pages }, (_, number) => number);
  await Promise.all(Array.from({ length: 3 }, async () => {
    const context = await browser.newContext({ viewport: { width: WIDTH, height: HEIGHT }, deviceScaleFactor: scale });
    const tab = await context.newPage();
    tab.setDefaultTimeout(0); // of a busy machine
    while (numbers.length > 0) {
      const number = numbers.shift();
      await work(number, async ({ css = '', change = null, after = null, name = null } = {}) => {
        await tab.setContent(makePage(number).replace('</style>', css + '</style>'), { waitUntil: 'load' });
        if (change !== null && await tab.evaluate(`(${plant})(${change},${random})`) === false)
          return null;
        const known = `${out}/actual/${number}/${name}.png`;
        const shot = fs.existsSync(known) ? fs.readFileSync(known) : await tab.screenshot({ animations: 'disabled' });
        return {
          shot: after === null || fs.existsSync(known) ? shot : await after(shot), layout: await tab.evaluate(layout),
        };
      });
    }
  }));
  await browser.close();
}

const pixels = shot => sharp(shot).removeAlpha().raw().toBuffer();

function keep(number, name, shot) {
  for (const [folder, picture] of [['baseline', bases[number].shot], ['actual', shot]]) {
    fs.mkdirSync(`${out}/${folder}/${number}`, { recursive: true });
    fs.writeFileSync(`${out}/${folder}/${number}/${name}.png`, picture);
  }
}

const bases = [];
await launched({}, async (number, shoot) => {
  bases[number] = await shoot();
  const [base, kinds] = [await pixels(bases[number].shot), Object.keys(DEFECTS)];
  for (const [k, kind] of kinds.entries())
    for (let attempt = 0; attempt < 5 && !fs.existsSync(`${out}/actual/${number}/${kind}.png`); attempt++) {
      const seed = (number * kinds.length + k) * 5 + attempt;
      const changed = await shoot({ change: `${JSON.stringify(kind)},${seed}` });
      if (changed === null || (await pixels(changed.shot)).equals(base))
        continue; // there is no place for it, or it is hidden
      keep(number, kind, changed.shot);
      break;
    }
});
const layouts = {};
for (const [name, condition] of Object.entries(CONDITIONS)) {
  let same = 0;
  await launched(condition, async (number, shoot) => {
    const { shot, layout } = await shoot({ ...condition, name: 'same-' + name });
    keep(number, 'same-' + name, shot);
    layouts[`${number}/same-${name}`] = moved(layout, bases[number].layout);
    const isSame = (await pixels(shot)).equals(await pixels(bases[number].shot));
    same += isSame;
  });
  console.log(`${name}: ${same} of ${pages} pictures have the pixels of their baselines`);
}
fs.writeFileSync(`${out}/layouts.json`, JSON.stringify(layouts));
