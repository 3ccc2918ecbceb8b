'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const { metrics, pairs } = data;
  const rank = new Map(data.states.map((state, i) => [state, i]));
  const $ = id => document.getElementById(id);
  const narrow = matchMedia('(max-width: 56rem)');
  const calm = matchMedia('(prefers-reduced-motion: reduce)');
  const Piece = 40; // rows that are added at a time

  pairs.forEach((pair, i) => {
    pair.number = i;
    pair.values = pair.values.map(value => value === null ? null : Number(value));
  });

  // Elements are made, never parsed: a name is text whatever is in it.
  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [key, value] of Object.entries(properties))
      if (key in element)
        element[key] = value;
      else
        element.setAttribute(key, value);
    element.append(...children);
    return element;
  }

  function draw(tag, attributes) {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(attributes))
      element.setAttribute(key, value);
    return element;
  }

  function number(value) {
    if (value === null || value === undefined)
      return 'not known';
    if (!Number.isFinite(value))
      return value > 0 ? '∞' : value < 0 ? '−∞' : 'not a number';
    if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e6))
      return value.toExponential(3);
    return String(Number(value.toPrecision(5)));
  }

  const plural = (count, word) => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

  /* The list. */

  const chosen = { query: '', states: new Set(), sort: metrics.length ? 0 : 'name' };
  let shown = []; // pairs in their order
  let current = null;
  let markInHistogram = () => {}; // shows where a pair lies

  // Larger is worse.
  const distance = (pair, metric) => {
    const value = pair.values[metric];
    return value === null || value === undefined || Number.isNaN(value) ? -Infinity
      : metrics[metric].largerIsCloser ? -value : value;
  };

  const byName = (a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : a.number - b.number;

  function order(a, b) {
    if (chosen.sort === 'name')
      return byName(a, b);
    const difference = distance(b, chosen.sort) - distance(a, chosen.sort);
    return rank.get(a.state) - rank.get(b.state) || (difference > 0 ? 1 : difference < 0 ? -1 : byName(a, b));
  }

  const matches = pair => (chosen.states.size === 0 || chosen.states.has(pair.state))
    && pair.name.toLowerCase().includes(chosen.query);

  function refresh() {
    shown = pairs.filter(matches).sort(order);
    $('rows').replaceChildren();
    addRows();
    $('count').textContent = pairs.length === 0 ? 'The report has no pairs.'
      : shown.length === pairs.length ? plural(pairs.length, 'pair')
        : shown.length ? `${shown.length.toLocaleString('en')} of ${plural(pairs.length, 'pair')}`
          : 'No pair is like this.';
    drawHistogram();
    step(0);
  }

  function addRows() {
    const from = $('rows').children.length;
    $('rows').append(...shown.slice(from, from + Piece).map(row));
    sentinel.disconnect();
    if ($('rows').lastElementChild && $('rows').children.length < shown.length)
      sentinel.observe($('rows').lastElementChild);
  }

  const sentinel = new IntersectionObserver(
    entries => entries.some(entry => entry.isIntersecting) && addRows(), { rootMargin: '800px' });

  function row(pair) {
    const pictures = [pair.reference?.small, pair.distorted?.small, pair.map];
    const main = metrics.length && pair.values.length
      ? `${number(pair.values[chosen.sort === 'name' ? 0 : chosen.sort])}` : '';
    const button = make('button', { className: 'row', 'data-number': pair.number },
      make('span', { className: 'pictures' }, ...pictures.map((path, i) => path
        ? make('img', { loading: 'lazy', decoding: 'async', src: path, alt: '', draggable: false,
          className: i === 2 ? 'heat' : '' })
        : make('span', { className: 'nothing' }))),
      make('span', { className: 'text' },
        make('bdi', { className: 'what', title: pair.name }, pair.name),
        ...pair.state === 'compared' ? [] : [badge(pair.state)],
        ...main ? [make('span', { className: 'number' }, main)] : []));
    button.addEventListener('click', () => { show(pair); openView(true); });
    if (pair === current)
      button.setAttribute('aria-current', 'true');
    return make('li', {}, button);
  }

  const badge = state => make('span', { className: `state ${state.replace(' ', '-')}` }, state);

  const rowOf = pair => $('rows').querySelector(`[data-number="${pair.number}"]`);

  // Shows the pair that lies so many places from this one among those that are listed.
  function step(by) {
    if (shown.length === 0)
      return;
    const at = shown.indexOf(current);
    const pair = shown[at < 0 ? 0 : clamp(at + by, 0, shown.length - 1)];
    while (!rowOf(pair))
      addRows();
    if (pair === current)
      mark(pair);
    else
      show(pair);
    if (by !== 0)
      rowOf(pair).scrollIntoView({ block: 'nearest' });
  }

  function mark(pair) {
    for (const other of $('rows').querySelectorAll('[aria-current]'))
      other.removeAttribute('aria-current');
    rowOf(pair)?.setAttribute('aria-current', 'true');
    $('previous').disabled = shown.indexOf(pair) <= 0;
    $('next').disabled = shown.indexOf(pair) === shown.length - 1;
    markInHistogram(pair);
  }

  function drawHistogram() {
    const figure = $('histogram');
    const metric = chosen.sort === 'name' ? 0 : chosen.sort;
    const of = list => list.map(pair => pair.values[metric]).filter(Number.isFinite);
    const all = of(pairs);
    markInHistogram = () => {};
    figure.hidden = all.length < 2;
    if (figure.hidden)
      return;
    const [low, high] = all.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [all[0], all[0]]);
    const Bins = 32, Width = 320, Height = 56;
    const bin = value => high > low ? Math.min(Bins - 1, Math.floor((value - low) / (high - low) * Bins)) : 0;
    const count = list => list.reduce((bins, value) => (bins[bin(value)]++, bins), new Array(Bins).fill(0));
    const [total, part] = [count(all), count(of(shown))];
    const most = Math.max(...total);
    const height = n => n === 0 ? 0 : Math.max(2, n / most * (Height - 6));
    const svg = draw('svg', { viewBox: `0 0 ${Width} ${Height}`, preserveAspectRatio: 'none', role: 'img',
      'aria-label': `${metrics[metric].name} of ${plural(all.length, 'pair')}, ${number(low)} to ${number(high)}` });
    for (const [name, bins] of [['all', total], ['part', part]])
      bins.forEach((n, i) => n > 0 && svg.append(draw('rect', { class: name, x: i * Width / Bins + 0.75,
        y: Height - height(n), width: Width / Bins - 1.5, height: height(n) })));
    svg.append(draw('rect', { class: 'here', y: 0, width: 2, height: Height }));
    const rest = pairs.length - all.length;
    figure.replaceChildren(svg, make('figcaption', {}, make('span', {}, number(low)),
      make('span', { className: 'middle' }, metrics[metric].name + (rest ? `, ${rest} without a number` : '')),
      make('span', {}, number(high))));
    markInHistogram = pair => {
      const value = pair.values[metric];
      svg.lastElementChild.setAttribute('visibility', Number.isFinite(value) ? 'visible' : 'hidden');
      if (Number.isFinite(value))
        svg.lastElementChild.setAttribute('x', (high > low ? (value - low) / (high - low) : 0.5) * (Width - 2));
    };
  }

  function makeTools() {
    const counts = new Map();
    for (const pair of pairs)
      counts.set(pair.state, (counts.get(pair.state) ?? 0) + 1);
    const states = data.states.filter(state => counts.has(state));
    $('summary').textContent = [plural(pairs.length, 'pair'),
      ...states.filter(state => state !== 'compared').map(state => `${counts.get(state)} ${state}`)].join(' · ');
    $('states').hidden = states.length < 2;
    for (const state of states) {
      const button = make('button', { className: `chip ${state.replace(' ', '-')}`, 'aria-pressed': 'false' },
        state, make('span', { className: 'many' }, counts.get(state).toLocaleString('en')));
      button.addEventListener('click', () => {
        if (!chosen.states.delete(state))
          chosen.states.add(state);
        button.setAttribute('aria-pressed', chosen.states.has(state));
        refresh();
      });
      $('states').append(button);
    }
    $('sort').append(...metrics.map((metric, i) => make('option', { value: i }, `worst ${metric.name} first`)),
      make('option', { value: 'name' }, 'by name'));
    $('sort').addEventListener('change', event => {
      chosen.sort = event.target.value === 'name' ? 'name' : Number(event.target.value);
      refresh();
    });
    $('search').addEventListener('input', event => {
      chosen.query = event.target.value.toLowerCase();
      refresh();
    });
  }

  /* The pair. Of both images the same place is in the middle of every pane, at the same zoom. */

  const modes = [
    { name: 'side', label: 'Side by side', panes: [['reference'], ['distorted'], ['map']] },
    { name: 'slider', label: 'Slider', panes: [['reference', 'distorted']], control: 'Divider' },
    { name: 'blink', label: 'Blink', panes: [['reference', 'distorted']] },
    { name: 'overlay', label: 'Overlay', panes: [['reference', 'distorted']], control: 'Opacity of distorted' },
    { name: 'heat', label: 'Heat map', panes: [['distorted', 'map']], control: 'Opacity of heat map' },
  ];
  const words = { reference: 'reference', distorted: 'distorted', map: 'difference' };
  const eye = { x: 0, y: 0, zoom: 1, isFit: true, outline: true };
  const amounts = { slider: 50, overlay: 50, heat: 70 };
  let wanted = 'side'; // the mode that was asked for; a pair may lack what it takes
  let blinking = { timer: 0, isSecond: false, isPaused: false };
  let panes = [];

  const has = layer => Boolean(layer === 'map' ? current.map : current[layer]);
  const can = mode => mode.name === 'side' || mode.panes[0].every(has);
  const mode = () => modes.find(mode => mode.name === wanted && can(mode)) ?? modes[0];
  const size = () => current.reference ?? current.distorted ?? { width: 1, height: 1 };

  // A distorted image that was compared is shown in the size of its reference, in which it was.
  const sizeOf = layer => layer === 'map' || current.map ? size() : current[layer];

  function show(pair) {
    const before = current && size();
    current = pair;
    if (before?.width !== size().width || before?.height !== size().height)
      eye.isFit = true;
    $('name').replaceChildren(make('bdi', {}, pair.name));
    document.title = `${pair.name} · ${data.title}`;
    $('state').className = `state ${pair.state.replace(' ', '-')}`;
    $('state').textContent = pair.state;
    $('state').hidden = pair.state === 'compared';
    $('problems').hidden = !pair.problems;
    $('problems').replaceChildren(...(pair.problems ?? []).map(problem => make('li', {}, problem)));
    $('values').replaceChildren(...values(pair).map(([name, text, more, full]) => make('div', {},
      make('dt', {}, name), make('dd', { title: full }, text, ...more ? [make('small', {}, more)] : []))));
    build();
    mark(pair);
    history.scrollRestoration = 'manual';
    location.replace(`#${pair.number + 1}`);
    prefetch(shown[shown.indexOf(pair) + 1]);
  }

  function values(pair) {
    const list = pair.values.map((value, i) => [metrics[i].name, number(value),
      metrics[i].largerIsCloser ? 'larger is closer' : 'larger is further apart', String(value)]);
    if (pair.worst) {
      const { x, y, width, height, witness, word } = pair.worst;
      list.push(['worst place', `${width} × ${height} at ${x}, ${y}`, [witness, word].filter(Boolean).join(': '), '']);
    }
    const [a, b] = [pair.reference, pair.distorted];
    const text = image => `${image.width} × ${image.height}`;
    if (a || b)
      list.push(['size', a && b && text(a) !== text(b) ? `${text(a)} and ${text(b)}` : text(a ?? b),
        a && b ? '' : a ? 'only a reference' : 'no reference', '']);
    return list;
  }

  function prefetch(pair) {
    for (const path of [pair?.reference?.file, pair?.distorted?.file, pair?.map])
      if (path)
        new Image().src = path;
  }

  // Panes in the columns in which the images are largest. Four fill a square: the last has the map over the image.
  function arrange() {
    const now = mode();
    const wide = now.panes.filter(layers => layers.every(has));
    const ways = [[wide, wide.length], [wide, 1]];
    if (wide.length === 3)
      ways.push([[...wide, ['distorted', 'map']], 2]);
    const { clientWidth, clientHeight } = $('stage');
    const zoom = ([list, columns]) => Math.min(clientWidth / columns / size().width,
      clientHeight / Math.ceil(list.length / columns) / size().height);
    return ways.reduce((best, way) => zoom(way) > zoom(best) ? way : best);
  }

  function build() {
    const now = mode();
    const [list, columns] = arrange();
    panes = list.map(layers => pane(layers, now.name));
    $('stage').replaceChildren(...panes.map(pane => pane.element));
    $('stage').className = `stage ${now.name}`;
    $('stage').style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    $('stage').dataset.columns = columns;
    for (const button of $('modes').children) {
      button.setAttribute('aria-pressed', button.value === now.name);
      button.disabled = !can(modes.find(mode => mode.name === button.value));
    }
    $('outline').setAttribute('aria-pressed', eye.outline);
    $('outline').disabled = $('worst').disabled = !current.worst;
    buildControls(now);
    buildLegend(now);
    clearInterval(blinking.timer);
    if (now.name === 'blink') {
      blinking.isSecond = false;
      blinking.timer = setInterval(() => blinking.isPaused || blink(), 600);
    }
    resize();
    apply();
  }

  function pane(layers, name) {
    const element = make('div', { className: 'pane' });
    const result = { element, worlds: [], tags: [] };
    for (const layer of layers) {
      const { width, height } = sizeOf(layer);
      const image = make('img', { src: layer === 'map' ? current.map : current[layer].file, draggable: false,
        alt: layer === 'map' ? `Where ${current.name} differs` : `${words[layer]} of ${current.name}` });
      image.addEventListener('error', () => element.classList.add('broken'), { once: true });
      image.style.width = `${width}px`;
      image.style.height = `${height}px`;
      const world = make('div', { className: `world ${layer}` }, image);
      const sheet = make('div', { className: `sheet ${layer}` }, world);
      result.worlds.push({ world, sheet, image, layer });
      element.append(sheet);
    }
    if (current.ignored) {
      const world = make('div', { className: 'world' }, ...current.ignored.map(([x, y, width, height]) => {
        const area = make('div', { className: 'ignored', title: 'ignored' });
        Object.assign(area.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
        return area;
      }));
      result.worlds.push({ world, sheet: null });
      element.append(make('div', { className: 'sheet' }, world));
    }
    if (current.worst) {
      const frame = make('div', { className: 'box' });
      const { x, y, width, height } = current.worst;
      Object.assign(frame.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` });
      const world = make('div', { className: 'world' }, frame);
      result.worlds.push({ world, sheet: null });
      element.append(make('div', { className: 'sheet' }, world));
    }
    const tags = layers.join() === 'distorted,map' ? ['difference over distorted']
      : name === 'blink' ? [words.reference] : layers.map(layer => words[layer]);
    result.tags = tags.map((tag, i) => make('span', { className: `tag tag-${i}`, 'aria-hidden': 'true' }, tag));
    element.append(...result.tags);
    if (name === 'slider')
      element.append(make('div', { className: 'divider' }, make('span', { className: 'grip' })));
    return result;
  }

  function buildControls(now) {
    $('controls').replaceChildren();
    if (now.control) {
      const input = make('input', { type: 'range', min: 0, max: 100, step: 1, value: amounts[now.name], id: 'amount' });
      input.addEventListener('input', () => {
        amounts[now.name] = Number(input.value);
        apply();
      });
      $('controls').append(make('label', { htmlFor: 'amount' }, now.control), input,
        make('output', { id: 'percent', htmlFor: 'amount' }));
    } else if (now.name === 'blink') {
      const pause = make('button', { id: 'pause' });
      pause.addEventListener('click', () => { blinking.isPaused = !blinking.isPaused; apply(); });
      const swap = make('button', {}, 'Swap ', make('kbd', {}, 'space'));
      swap.addEventListener('click', swapNow);
      $('controls').append(pause, swap);
    }
  }

  function buildLegend(now) {
    $('legend').replaceChildren();
    if (!current.map || now.name !== 'heat' && now.name !== 'side')
      return;
    const bar = make('span', { className: 'ramp' });
    // Colours go by the square root of values, so that small differences are seen beside large ones.
    const stops = data.colours.map((colour, i) => `${colour} ${(i / 255) ** 2 * 100}%`);
    bar.style.backgroundImage = `linear-gradient(to right, ${stops.join(', ')})`;
    $('legend').append(make('span', { className: 'label' }, `difference by ${data.mapMetric}`),
      make('span', {}, '0'), bar, make('span', { title: 'The largest difference of all pairs' }, number(data.scale)),
      make('span', { className: 'label' }, `largest here ${number(current.largest)}`));
  }

  function blink() {
    blinking.isSecond = !blinking.isSecond;
    apply();
  }

  function swapNow() {
    blinking.isPaused = true;
    blink();
  }

  const box = () => panes[0]?.element.getBoundingClientRect() ?? { width: 1, height: 1 };

  function fitZoom() {
    const { width, height } = box();
    return Math.min(width / size().width, height / size().height);
  }

  function resize() {
    if (!current || !eye.isFit)
      return;
    eye.zoom = fitZoom();
    eye.x = size().width / 2;
    eye.y = size().height / 2;
  }

  function apply() {
    const now = mode();
    const { width, height } = box();
    const pixel = eye.zoom * devicePixelRatio;
    for (const { element, worlds, tags } of panes) {
      worlds.forEach(({ world, sheet, image, layer }, i) => {
        const [x, y] = [width / 2 - eye.x * eye.zoom, height / 2 - eye.y * eye.zoom];
        world.style.transform = `translate(${x}px, ${y}px) scale(${eye.zoom})`;
        world.style.setProperty('--zoom', eye.zoom);
        if (image)
          image.style.imageRendering = layer !== 'map' && pixel > 2.5 ? 'pixelated' : 'auto';
        if (sheet && i === 1) {
          sheet.style.clipPath = now.name === 'slider' ? `inset(0 0 0 ${amounts.slider}%)` : '';
          sheet.style.opacity = layer === 'map' ? amounts.heat / 100
            : now.name === 'overlay' ? amounts.overlay / 100 : 1;
          sheet.style.visibility = now.name === 'blink' && !blinking.isSecond ? 'hidden' : '';
        }
      });
      element.classList.toggle('outlined', eye.outline);
      const divider = element.querySelector('.divider');
      if (divider)
        divider.style.left = `${amounts.slider}%`;
      if (now.name === 'blink')
        tags[0].textContent = words[blinking.isSecond ? 'distorted' : 'reference'];
    }
    $('zoom').textContent = `${Math.round(pixel * 100)} %`;
    $('fit').setAttribute('aria-pressed', eye.isFit);
    $('one').setAttribute('aria-pressed', !eye.isFit && Math.abs(pixel - 1) < 1e-6);
    if ($('percent'))
      $('percent').textContent = `${$('amount').value = amounts[now.name]} %`;
    if ($('pause'))
      $('pause').textContent = blinking.isPaused ? 'Play' : 'Pause';
  }

  function look(zoom, x = eye.x, y = eye.y) {
    eye.isFit = false;
    eye.zoom = clamp(zoom, Math.min(fitZoom(), 1 / devicePixelRatio) / 2, 64);
    eye.x = clamp(x, 0, size().width);
    eye.y = clamp(y, 0, size().height);
    apply();
  }

  // What lies under a point of the screen stays there.
  function zoomAt(factor, clientX, clientY) {
    const { left, top, width, height } = paneAt(clientX, clientY).getBoundingClientRect();
    const [dx, dy] = [clientX - left - width / 2, clientY - top - height / 2];
    const [x, y] = [eye.x + dx / eye.zoom, eye.y + dy / eye.zoom];
    const zoom = clamp(eye.zoom * factor, Math.min(fitZoom(), 1 / devicePixelRatio) / 2, 64);
    look(zoom, x - dx / zoom, y - dy / zoom);
  }

  const paneAt = (x, y) => document.elementsFromPoint(x, y).find(element => element.matches('.pane'))
    ?? panes[0].element;

  function fit() {
    eye.isFit = true;
    resize();
    apply();
  }

  function goToWorst() {
    if (!current.worst)
      return;
    const { x, y, width, height } = current.worst;
    const pane = box();
    const zoom = Math.min(pane.width / width, pane.height / height) / 2.5;
    look(clamp(zoom, fitZoom(), Math.max(fitZoom(), 8)), x + width / 2, y + height / 2);
  }

  function setMode(name) {
    wanted = name;
    blinking.isPaused = calm.matches;
    build();
  }

  function change(by) {
    const now = mode();
    if (!now.control)
      return;
    amounts[now.name] = clamp(amounts[now.name] + by, 0, 100);
    apply();
  }

  /* Mouse, fingers, keys. */

  const fingers = new Map();
  let isDividing = false;

  function setDivider(clientX) {
    const { left, width } = box();
    amounts.slider = clamp(Math.round((clientX - left) / width * 1000) / 10, 0, 100);
    apply();
  }

  $('stage').addEventListener('pointerdown', event => {
    if (event.button !== 0 || !current)
      return;
    fingers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    $('stage').setPointerCapture(event.pointerId);
    isDividing = Boolean(event.target.closest('.divider'));
  });
  $('stage').addEventListener('pointermove', event => {
    const finger = fingers.get(event.pointerId);
    if (!finger)
      return;
    const others = [...fingers].filter(([id]) => id !== event.pointerId).map(([, other]) => other);
    if (isDividing) {
      setDivider(event.clientX);
    } else if (others.length) {
      const [other] = others;
      const before = Math.hypot(finger.x - other.x, finger.y - other.y);
      const after = Math.hypot(event.clientX - other.x, event.clientY - other.y);
      zoomAt(before > 0 ? after / before : 1, (event.clientX + other.x) / 2, (event.clientY + other.y) / 2);
    } else {
      look(eye.zoom, eye.x - (event.clientX - finger.x) / eye.zoom, eye.y - (event.clientY - finger.y) / eye.zoom);
    }
    Object.assign(finger, { x: event.clientX, y: event.clientY });
  });
  for (const end of ['pointerup', 'pointercancel'])
    $('stage').addEventListener(end, event => {
      fingers.delete(event.pointerId);
      isDividing = false;
    });
  $('stage').addEventListener('wheel', event => {
    event.preventDefault();
    zoomAt(Math.exp(-clamp(event.deltaY, -100, 100) / 300), event.clientX, event.clientY);
  }, { passive: false });
  $('stage').addEventListener('dblclick', event => eye.isFit
    ? zoomAt(1 / devicePixelRatio / eye.zoom, event.clientX, event.clientY) : fit());

  const keys = [
    ['j', 'next pair', () => step(1)],
    ['k', 'previous pair', () => step(-1)],
    ['/', 'search', () => { openView(false); $('search').focus(); }],
    ...modes.map(({ name, label }, i) => [String(i + 1), label.toLowerCase(), () => setMode(name)]),
    ['f', 'fit: all of the image', fit],
    ['a', '1:1: a pixel of the image is one of the screen', () => look(1 / devicePixelRatio)],
    ['+', 'larger', () => look(eye.zoom * 1.25)],
    ['-', 'smaller', () => look(eye.zoom / 1.25)],
    ['w', 'go to the worst place', goToWorst],
    ['o', 'outline the worst place, or not', () => { eye.outline = !eye.outline; build(); }],
    [',', 'divider to the left, less opacity', () => change(-5)],
    ['.', 'divider to the right, more opacity', () => change(5)],
    [' ', 'blink: swap the images and stop', () => mode().name === 'blink' && swapNow()],
    ['?', 'this list', () => $('keys').showModal()],
  ];
  const arrows = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]'))
      return;
    if (event.key === 'Escape') {
      if (event.target === $('search') && $('search').value)
        return;
      openView(false);
      return;
    }
    if (event.target.matches('input:not([type=range]), select, textarea'))
      return;
    const arrow = event.target === $('stage') && arrows[event.key];
    const key = keys.find(([key]) => key === event.key || key === '+' && event.key === '=');
    if (arrow) {
      const by = (event.shiftKey ? 200 : 40) / eye.zoom;
      look(eye.zoom, eye.x + arrow[0] * by, eye.y + arrow[1] * by);
    } else if (key && !(event.key === ' ' && event.target.matches('button, summary')) && (current || key[0] === '?')) {
      key[2]();
    } else {
      return;
    }
    event.preventDefault();
  });

  // On a narrow screen there is either the list or the pair.
  function openView(isOpen) {
    document.body.classList.toggle('viewing', isOpen);
    if (!narrow.matches)
      return;
    if (isOpen) {
      scrollTo(0, 0);
      $('back').focus();
      fit();
    } else {
      rowOf(current)?.focus();
      rowOf(current)?.scrollIntoView({ block: 'center' });
    }
  }

  function makeView() {
    for (const [i, { name, label }] of modes.entries()) {
      const button = make('button', { value: name, title: `${label} (${i + 1})` }, label);
      button.addEventListener('click', () => setMode(name));
      $('modes').append(button);
    }
    $('previous').addEventListener('click', () => step(-1));
    $('next').addEventListener('click', () => step(1));
    $('back').addEventListener('click', () => openView(false));
    for (const [id, key] of [['fit', 'f'], ['one', 'a'], ['in', '+'], ['out', '-'], ['worst', 'w'], ['outline', 'o']])
      $(id).addEventListener('click', () => keys.find(([name]) => name === key)[2]());
    new ResizeObserver(() => {
      if (!current)
        return;
      if (arrange()[1] !== Number($('stage').dataset.columns))
        build();
      resize();
      apply();
    }).observe($('stage'));
    document.body.style.setProperty('--darkest', data.colours[0]);
  }

  function makeDialogs() {
    $('facts').append(...data.facts.map(([name, text]) => make('div', {}, make('dt', {}, name), make('dd', {}, text))));
    const named = [...keys.map(([key, text]) => [key === ' ' ? 'space' : key, text]),
      ['arrows', 'move the images, once they have the focus'], ['Esc', 'back to the list']];
    $('key-list').append(...named.map(([key, text]) => make('div', {}, make('dt', {}, make('kbd', {}, key)),
      make('dd', {}, text))));
    for (const id of ['run', 'keys']) {
      $(`show-${id}`).addEventListener('click', () => $(id).showModal());
      $(id).querySelector('.close').addEventListener('click', () => $(id).close());
    }
  }

  makeTools();
  makeView();
  makeDialogs();
  const asked = pairs[Number(location.hash.slice(1)) - 1];
  if (asked)
    current = asked;
  const first = current;
  refresh();
  if (first)
    show(first);
})();
