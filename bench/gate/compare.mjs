// What the packages from npm say of all pictures: out/TOOL.csv has page, name, settings, value, 0 = no
// difference.
//   node compare.mjs TOOL           with its defaults only (to be timed), or
//   node compare.mjs TOOL --grid    also with other settings, from which table.mjs chooses
import fs from 'node:fs';
import { diff as blazediff } from '@blazediff/core';
import looksSame from 'looks-same';
import { ODiffServer } from 'odiff-bin';
import pixelmatch from 'pixelmatch';
import { PNG } from 'pngjs';
import { ssim } from 'ssim.js';

const out = `${import.meta.dirname}/out`, [tool, grid] = process.argv.slice(2);
const THRESHOLDS = [0.1, 0.02, 0.05, 0.2, 0.3], TOLERANCES = [2.3, 5, 10];
const combinations = (first, values, second, flags) =>
  flags.flatMap(flag => values.map(value => ({ [first]: value, [second]: flag })));

// The first settings are the defaults.
const TOOLS = {
  pixelmatch: {
    settings: combinations('threshold', THRESHOLDS, 'includeAA', [false, true]),
    run: (a, b, options) => pixelmatch(a.data, b.data, null, a.width, a.height, options),
  },
  blazediff: {
    settings: combinations('threshold', THRESHOLDS, 'includeAA', [false, true]),
    run: (a, b, options) => blazediff(a.data, b.data, undefined, a.width, a.height, options),
  },
  odiff: {
    settings: combinations('threshold', THRESHOLDS, 'antialiasing', [false, true]),
    files: async (a, b, options) => {
      const result = await (server ??= new ODiffServer()).compare(a, b, `${out}/odiff.png`, options);
      return result.match ? 0 : result.diffCount;
    },
  },
  'looks-same': {
    settings: combinations('tolerance', TOLERANCES, 'ignoreAntialiasing', [true]),
    files: async (a, b, options) => (await looksSame(a, b, { ...options, createDiffImage: true })).differentPixels,
  },
  'ssim.js': {
    settings: [{ ssim: 'weber' }],
    run: (a, b, options) => 1 - ssim(a, b, options).mssim,
  },
};
let server = null;

const { settings, run, files } = TOOLS[tool], table = `${out}/${tool}.csv`;
const png = path => {
  const { data, width, height } = PNG.sync.read(fs.readFileSync(path));
  return { data: new Uint8ClampedArray(data), width, height };
};
async function valuesOf(paths, chosen) {
  const pictures = run && paths.map(png), values = [];
  for (const options of chosen)
    values.push(run ? run(...pictures, options) : await files(...paths, options));
  return values;
}

const isGrid = grid === '--grid'; // what it knows already is not measured again
const known = new Set(isGrid && fs.existsSync(table)
  ? fs.readFileSync(table, 'utf8').split('\n').map(line => line.split(',').slice(0, 2).join('/')) : []);
for (const number of fs.readdirSync(`${out}/actual`).sort((a, b) => a - b))
  for (const file of fs.readdirSync(`${out}/actual/${number}`).sort()) {
    const name = file.slice(0, -4), paths = ['baseline', 'actual'].map(folder => `${out}/${folder}/${number}/${file}`);
    if (known.has(`${number}/${name}`))
      continue;
    const values = await valuesOf(paths, isGrid ? settings : [{}]);
    if (isGrid)
      fs.appendFileSync(table, values.map(
        (value, k) => `${number},${name},${Object.values(settings[k]).join(' ')},${value}\n`).join(''));
  }
server?.stop();
