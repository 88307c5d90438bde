(async () => {
  const byId = (id) => document.getElementById(id);
  const said = (text) => { for (const each of document.querySelectorAll('.plot')) each.textContent = text; };

  for (const button of document.querySelectorAll('button[data-copies]')) {
    button.addEventListener('click', async () => {
      const from = byId(button.dataset.copies);
      try {
        await navigator.clipboard.writeText(from.textContent);
      } catch {
        // a page of a file may not write the clipboard by itself
        const range = document.createRange();
        range.selectNodeContents(from);
        const chosen = getSelection();
        chosen.removeAllRanges();
        chosen.addRange(range);
        document.execCommand('copy');
      }
      const before = button.innerHTML;
      button.textContent = 'Copied';
      setTimeout(() => { button.innerHTML = before; }, 1500);
    });
  }

  const opened = () => {
    const target = location.hash && byId(location.hash.slice(1));
    if (target && target.matches('details')) { target.hidden = false; target.open = true; target.scrollIntoView(); }
  };
  addEventListener('hashchange', opened);
  opened();

  // ---- a page that is served loads itself again when there is news, and stays where its reader is
  const watched = document.documentElement.dataset.watch;
  const settings = () => [...document.querySelectorAll('.controls input, .controls select')].filter((each) => each.id);
  const isChanged = (each) => (each.tagName !== 'SELECT' ? each.value !== each.defaultValue
    : [...each.options].some((o) => o.defaultSelected) ? !each.selectedOptions[0].defaultSelected : each.selectedIndex > 0);
  if (watched) {
    const kept = JSON.parse(sessionStorage.getItem('reading') || '{}');
    for (const each of settings()) {
      const value = (kept.settings || {})[each.id];
      if (value !== undefined && (each.tagName !== 'SELECT' || [...each.options].some((o) => o.value === value))) each.value = value;
    }
    for (const each of document.querySelectorAll('details[id]')) each.open = (kept.open || {})[each.id] ?? each.open;
    setInterval(async () => {
      try {
        const now = await (await fetch('news')).text();
        if (now === watched) return;
        sessionStorage.setItem('reading', JSON.stringify({
          settings: Object.fromEntries(settings().filter(isChanged).map((each) => [each.id, each.value])),
          open: Object.fromEntries([...document.querySelectorAll('details[id]')].map((each) => [each.id, each.open])),
        }));
        location.reload();
      } catch { /* it is served no more */ }
    }, 2000);
  }

  // ---- filters
  const filters = ['text', 'source', 'state', 'prediction'].map((n) => byId('filter-' + n));
  const filtered = () => {
    const [text, who, state, prediction] = filters.map((f) => f.value.toLowerCase());
    let shown = 0;
    const every = document.querySelectorAll('#trials > .trial');
    for (const each of every) {
      const data = each.dataset;
      const fits = (!who || data.who.toLowerCase() === who) && (!state || data.state.toLowerCase() === state)
        && (!prediction || data.prediction === prediction) && (!text || each.textContent.toLowerCase().includes(text));
      each.hidden = !fits;
      shown += fits;
    }
    byId('filter-count').textContent = `${shown} of ${every.length} trials`;
  };
  if (filters[0]) { for (const f of filters) f.addEventListener('input', filtered); filtered(); }

  if (typeof DecompressionStream === 'undefined') { said('This browser is too old to draw the pictures; the tables hold the same numbers.'); return; }
  const data = JSON.parse(await inflated('data'));
  const trials = data.trials;
  const numbered = new Map(trials.map((t) => [t.number, t]));
  const number = (x) => (x === null || x === undefined ? '' : typeof x === 'number' ? String(Number(x.toPrecision(6))) : String(x));
  const wrapped = (x) => text(x).replace(/(.{1,70})(\s+|$)/g, '$1<br>');

  // ---- two trials side by side
  const pair = () => {
    const [one, another] = [byId('one'), byId('another')].map((s) => numbered.get(Number(s.value)));
    const body = document.querySelector('#pair tbody');
    body.replaceChildren();
    const row = (name, a, b, counts = true) => {
      const line = body.insertRow();
      if (counts && a !== b) line.className = 'differs';
      for (const cell of [name, a, b]) line.insertCell().textContent = cell;
    };
    row('', `trial ${one.number}, ${one.who}`, `trial ${another.number}, ${another.who}`, false);
    row(data.metric, one.value === null ? one.state : number(one.value), another.value === null ? another.state : number(another.value), false);
    row('diagnosis', one.diagnosis, another.diagnosis, false);
    for (const name of new Set([...Object.keys(one.params), ...Object.keys(another.params)])) {
      row(name, number(one.params[name]), number(another.params[name]));
    }
    row('seconds', number(one.seconds), number(another.seconds), false);
    row('why', one.rationale, another.rationale, false);
    row('insight', one.insight, another.insight, false);
  };
  if (byId('one')) { for (const id of ['one', 'another']) byId(id).addEventListener('input', pair); pair(); }

  // ---- exchanges
  const exchanges = byId('exchanges');
  if (exchanges) {
    exchanges.addEventListener('toggle', async () => {
      const list = byId('exchange-list');
      if (list.childElementCount) return;
      for (const entry of JSON.parse(await inflated('exchange-data'))) {
        const block = document.createElement('details');
        block.className = 'exchange';
        const head = document.createElement('summary');
        head.textContent = `${new Date(entry.time * 1000).toISOString()}  ${entry.form}  ${entry.model}`;
        block.append(head);
        for (const each of [...entry.messages, { role: 'reply', content: entry.reply }]) {
          const words = document.createElement('pre');
          words.tabIndex = 0;
          words.textContent = `[${each.role}]\n${each.content}`;
          block.append(words);
        }
        list.append(block);
      }
    });
  }

  // ---- pictures
  await loadPlotly();
  if (!window.Plotly) { said('The pictures cannot be drawn here; the tables hold the same numbers.'); return; }

  const maximize = data.direction === 'maximize';
  const scored = trials.filter((t) => t.value !== null);
  const symbols = ['circle', 'square', 'diamond', 'triangle-up', 'star', 'hexagon', 'cross'];
  const whos = [...new Set(trials.map((t) => t.who))];
  const scale = [[0, '#3b4cc0'], [0.5, '#9a9a9a'], [1, '#d1731f']];
  const layout = (more) => ({
    font: { color: css('--fg'), size: 12 }, hoverlabel: { align: 'left' },
    dragmode: innerWidth < 600 ? false : 'zoom', ...more,
  });
  const draw = (id, traces, shape) => {
    const place = byId(id);
    if (!place) return;
    show(place, traces, layout({ height: parseInt(place.style.minHeight, 10), ...shape }));
  };
  const hover = (t) => `<b>trial ${t.number}</b>, ${text(t.who)}<br>${text(data.metric)} ${t.value === null ? text(t.state) : number(t.value)}`
    + (t.rationale ? `<br>${wrapped(t.rationale)}` : '') + (t.diagnosis ? `<br><i>${text(t.diagnosis)}</i>` : '') + (t.error ? `<br>${wrapped(t.error)}` : '');

  const course = () => {
    if (!scored.length) { byId('plot-course') && (byId('plot-course').textContent = 'No trial has a value to draw.'); return; }
    const values = scored.map((t) => t.value);
    const worst = maximize ? Math.min(...values) : Math.max(...values);
    const traces = whos.map((who, i) => {
      const mine = trials.filter((t) => t.who === who && t.value !== null);
      return { type: 'scatter', mode: 'markers', name: text(who, 40), x: mine.map((t) => t.number), y: mine.map((t) => t.value), text: mine.map(hover),
        hovertemplate: '%{text}<extra></extra>', marker: { color: palette[i % palette.length], symbol: symbols[i % symbols.length], size: 8, opacity: mine.map((t) => (t.is_kept && t.share >= 1 ? 1 : 0.4)) } };
    });
    const failed = trials.filter((t) => t.value === null);
    if (failed.length) traces.push({ type: 'scatter', mode: 'markers', name: 'no value', x: failed.map((t) => t.number), y: failed.map(() => worst), text: failed.map(hover), hovertemplate: '%{text}<extra></extra>', marker: { color: css('--bad'), symbol: 'x', size: 9 } });
    const best = { x: [], y: [] };
    for (const t of trials) if (t.is_best_so_far) { best.x.push(t.number); best.y.push(t.value); }
    if (best.x.length) { best.x.push(trials[trials.length - 1].number); best.y.push(best.y[best.y.length - 1]); }
    traces.push({ type: 'scatter', mode: 'lines', name: 'best so far', ...best, line: { shape: 'hv', color: css('--fg'), width: 2 }, hoverinfo: 'skip' });
    const last = trials[trials.length - 1].number;
    const level = (name, y, dash) => traces.push({ type: 'scatter', mode: 'lines', name, x: [0, last], y: [y, y], line: { dash, color: css('--dim'), width: 1.5 }, hoverinfo: 'name+y' });
    if (data.default_value !== null) level('default', data.default_value, 'dash');
    if (data.shadow && data.shadow.course && data.shadow.course.length) traces.push({ type: 'scatter', mode: 'lines', name: 'engine alone (an estimate)', x: data.shadow.course.map((_, i) => i + last + 1 - data.shadow.course.length), y: data.shadow.course, line: { shape: 'hv', dash: 'dot', color: palette[5], width: 1.5 }, hoverinfo: 'name+y' });
    else if (data.shadow) level('engine alone (an estimate)', data.shadow.value, 'dot');
    if (data.random) level('random search (an estimate)', data.random.value, 'dashdot');
    draw('plot-course', traces, { xaxis: axis('trial'), yaxis: axis(data.metric), hovermode: 'closest' });
  };

  const curves = () => {
    const wanted = byId('curve-trials');
    if (!wanted) return;
    const metric = byId('curve-metric').value;
    const chosen = wanted.value.split(/[^0-9]+/).filter(Boolean).map(Number).filter((n) => numbered.has(n)).slice(0, 20);
    const traces = chosen.map((n, i) => {
      const points = numbered.get(n).curves[metric] || [];
      return { type: 'scatter', mode: points.length > 1 ? 'lines' : 'markers', name: `trial ${n}`, x: points.map((p) => p[0]), y: points.map((p) => p[1]), line: { color: palette[i % palette.length], dash: ['solid', 'dash', 'dot'][Math.floor(i / palette.length) % 3] } };
    });
    draw('plot-curves', traces, { xaxis: axis('step'), yaxis: axis(metric), showlegend: true });
  };

  const calibration = () => {
    if (!data.predictions.length) return;
    const values = data.predictions.flatMap((p) => [p.value, p.expected.value]);
    const ends = [Math.min(...values), Math.max(...values)];
    const traces = [...new Set(data.predictions.map((p) => p.who))].map((who, i) => {
      const mine = data.predictions.filter((p) => p.who === who);
      return { type: 'scatter', mode: 'markers', name: text(who, 40), x: mine.map((p) => p.expected.value), y: mine.map((p) => p.value), text: mine.map((p) => `trial ${p.trial}`),
        hovertemplate: '%{text}<br>expected %{x}<br>came %{y}<extra></extra>', marker: { color: palette[i % palette.length], symbol: symbols[i % symbols.length], size: 8 },
        error_x: { type: 'data', symmetric: false, array: mine.map((p) => p.expected.high - p.expected.value), arrayminus: mine.map((p) => p.expected.value - p.expected.low), thickness: 1, color: palette[i % palette.length] } };
    });
    traces.push({ type: 'scatter', mode: 'lines', name: 'as expected', x: ends, y: ends, line: { dash: 'dash', color: css('--dim') }, hoverinfo: 'skip' });
    draw('plot-calibration', traces, { xaxis: axis('expected'), yaxis: axis('came'), showlegend: true });
  };

  const front = () => {
    if (!data.goals.length) return;
    const second = data.goals[0].metric;
    const both = scored.filter((t) => second in t.others);
    const isFirst = (t) => data.front.includes(t.number);
    const on = both.filter(isFirst).sort((a, b) => a.value - b.value);
    const marks = (name, mine, more) => ({ type: 'scatter', name, x: mine.map((t) => t.value), y: mine.map((t) => t.others[second]), text: mine.map(hover), hovertemplate: '%{text}<extra></extra>', ...more });
    draw('plot-front', [
      marks('dominated', both.filter((t) => !isFirst(t)), { mode: 'markers', marker: { color: css('--dim'), size: 7 } }),
      marks('Pareto front', on, { mode: data.goals.length > 1 ? 'markers' : 'lines+markers', line: { shape: 'linear', dash: 'dot', color: palette[0] }, marker: { color: palette[0], symbol: 'diamond', size: 10 } }),
    ], { xaxis: axis(data.metric), yaxis: axis(second), showlegend: true });
  };

  const importance = () => {
    const rows = [...data.matters].reverse();
    if (!rows.length) return;
    draw('plot-importance', [{ type: 'bar', orientation: 'h', y: rows.map((m) => text(m.name, 40)), x: rows.map((m) => m.share), marker: { color: palette[0] }, hovertemplate: '%{y}: %{x:.0%}<extra></extra>',
      error_x: { type: 'data', symmetric: false, array: rows.map((m) => Math.max(m.high - m.share, 0)), arrayminus: rows.map((m) => Math.max(m.share - m.low, 0)), color: css('--fg'), thickness: 1.5 } }],
    { xaxis: axis('share', { tickformat: '.0%', rangemode: 'tozero' }), yaxis: axis('', { type: 'category' }), showlegend: false });
  };

  const audit = () => {
    const rows = data.audit.filter((c) => c.gain !== null).reverse();
    if (!rows.length) return;
    const colour = { helps: palette[2], harms: palette[6], nothing: css('--dim'), open: palette[4] };
    draw('plot-audit', [{ type: 'scatter', mode: 'markers', x: rows.map((c) => c.gain), y: rows.map((c) => text(c.names.join(', '), 40)), text: rows.map((c) => wrapped(c.words)), hovertemplate: '%{text}<extra></extra>',
      marker: { size: 10, color: rows.map((c) => colour[c.judgement]) },
      error_x: { type: 'data', symmetric: false, array: rows.map((c) => (c.high === null ? 0 : c.high - c.gain)), arrayminus: rows.map((c) => (c.low === null ? 0 : c.gain - c.low)), color: css('--fg'), thickness: 1.5 } }],
    { xaxis: axis('gain by the change', { zeroline: true, zerolinecolor: css('--fg') }), yaxis: axis('', { type: 'category' }), showlegend: false });
  };

  const ordered = [...data.space].sort((a, b) => share(b.name) - share(a.name));
  function share(name) { const found = data.matters.find((m) => m.name === name); return found ? found.share : 0; }
  const isCategory = (p) => p.values.length > 0;

  const slices = () => {
    const shown = ordered.filter((p) => new Set(scored.map((t) => t.params[p.name])).size > 1).slice(0, 9);
    if (!shown.length || !byId('plot-slices')) { if (byId('plot-slices')) byId('plot-slices').textContent = 'No parameter has varied yet.'; return; }
    const across = innerWidth < 600 ? 1 : Math.min(3, shown.length);
    const down = Math.ceil(shown.length / across);
    const shape = { grid: { rows: down, columns: across, pattern: 'independent', ygap: 0.35 }, showlegend: false, height: 240 * down };
    const traces = shown.map((p, i) => {
      const mine = scored.filter((t) => p.name in t.params);
      const n = i ? i + 1 : '';
      shape['xaxis' + n] = axis(p.name, { type: isCategory(p) ? 'category' : p.log ? 'log' : 'linear', nticks: 5, ...(isCategory(p) ? { categoryorder: 'array', categoryarray: p.values.map(String) } : {}) });
      shape['yaxis' + n] = axis(i % across ? '' : data.metric, { nticks: 5, ...(i ? { matches: 'y' } : {}) });
      return { type: 'scatter', mode: 'markers', xaxis: 'x' + n, yaxis: 'y' + n, x: mine.map((t) => (isCategory(p) ? text(t.params[p.name], 30) : t.params[p.name])), y: mine.map((t) => t.value), text: mine.map((t) => `trial ${t.number}`),
        hovertemplate: '%{text}<br>%{x}: %{y}<extra></extra>', marker: { color: mine.map((t) => t.number), colorscale: scale, size: 7 } };
    });
    byId('plot-slices').style.minHeight = 240 * down + 'px';
    draw('plot-slices', traces, shape);
  };

  const place = (p, value) => {
    if (value === undefined) return null;
    if (isCategory(p)) { const i = p.values.findIndex((v) => v === value || String(v) === String(value)); return p.values.length > 1 ? i / (p.values.length - 1) : 0.5; }
    const [low, high, x] = p.log ? [p.low, p.high, value].map(Math.log) : [p.low, p.high, value];
    return high > low ? (x - low) / (high - low) : 0.5;
  };
  const parallel = () => {
    if (!scored.length || !byId('plot-parallel')) return;
    const axes = ordered.slice(0, 12);
    const values = scored.map((t) => t.value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const bins = 7;
    const traces = Array.from({ length: bins }, (_, b) => ({ type: 'scatter', mode: 'lines', x: [], y: [], connectgaps: false, hoverinfo: 'skip', line: { color: mix(b / (bins - 1)), width: 1 + b / 4 }, opacity: 0.35 + 0.6 * b / bins }));
    for (const t of scored) {
      let at = high > low ? (t.value - low) / (high - low) : 1;
      if (!maximize) at = 1 - at;
      const trace = traces[Math.min(bins - 1, Math.floor(at * bins))];
      axes.forEach((p, i) => { if (p.name in t.params) { trace.x.push(i); trace.y.push(place(p, t.params[p.name])); } });
      trace.x.push(null); trace.y.push(null);
    }
    const ends = axes.map((p, i) => ({ x: i, y: 1.02, text: text(isCategory(p) ? p.values[p.values.length - 1] : number(p.high), 12), showarrow: false, yanchor: 'bottom', font: { size: 10 } }))
      .concat(axes.map((p, i) => ({ x: i, y: -0.02, text: text(isCategory(p) ? p.values[0] : number(p.low), 12), showarrow: false, yanchor: 'top', font: { size: 10 } })));
    draw('plot-parallel', traces.filter((t) => t.x.length), { showlegend: false, annotations: ends, yaxis: { visible: false, range: [-0.12, 1.12] },
      xaxis: axis('', { tickvals: axes.map((_, i) => i), ticktext: axes.map((p) => text(p.name, 20)), range: [-0.3, axes.length - 0.7], tickangle: axes.length > 4 ? -30 : 0 }) });
  };
  function mix(at) {
    const ends = at < 0.5 ? [[59, 76, 192], [154, 154, 154], at * 2] : [[154, 154, 154], [209, 115, 31], at * 2 - 1];
    return `rgb(${ends[0].map((c, i) => Math.round(c + (ends[1][i] - c) * ends[2])).join(',')})`;
  }

  const contour = () => {
    const c = data.contour;
    if (!c) return;
    const [px, py] = [c.x, c.y].map((name) => data.space.find((p) => p.name === name));
    const mine = scored.filter((t) => c.x in t.params && c.y in t.params);
    const coordinate = (p, v) => (isCategory(p) ? String(v) : v);
    const of = (p) => axis(p.name, { type: isCategory(p) ? 'category' : p.log ? 'log' : 'linear' });
    draw('plot-contour', [
      { type: isCategory(px) || isCategory(py) ? 'heatmap' : 'contour', x: c.xs.map((v) => coordinate(px, v)), y: c.ys.map((v) => coordinate(py, v)), z: c.values, colorscale: scale, colorbar: { title: { text: text(data.metric, 20) }, thickness: 12 }, hovertemplate: '%{x}, %{y}: %{z}<extra></extra>' },
      { type: 'scatter', mode: 'markers', x: mine.map((t) => coordinate(px, t.params[c.x])), y: mine.map((t) => coordinate(py, t.params[c.y])), text: mine.map((t) => `trial ${t.number}: ${number(t.value)}`), hovertemplate: '%{text}<extra></extra>', marker: { color: css('--bg'), line: { color: css('--fg'), width: 1 }, size: 7 } },
    ], { xaxis: of(px), yaxis: of(py), showlegend: false });
  };

  const all = () => { course(); front(); curves(); calibration(); importance(); audit(); slices(); parallel(); contour(); document.documentElement.dataset.ready = '1'; };
  all();
  followPrinting(all);
  for (const id of ['curve-trials', 'curve-metric']) if (byId(id)) byId(id).addEventListener('input', curves);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', all);
  let width = innerWidth;
  addEventListener('resize', () => { if ((innerWidth < 600) !== (width < 600)) { width = innerWidth; all(); } });
})();
