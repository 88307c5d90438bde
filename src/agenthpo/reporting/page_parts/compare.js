'use strict';
(async () => {
  const inflated = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
    return await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  };
  const data = JSON.parse(await inflated('data'));
  const code = document.createElement('script');
  code.nonce = document.querySelector('script[nonce]').nonce;
  code.textContent = await inflated('plotly');
  document.head.append(code);
  const text = (x) => String(x).slice(0, 60).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const palette = ['#0b6fc2', '#c2570b', '#0f8a5f', '#a3328f', '#8a7400', '#5a5fcf', '#b3261e'];
  const dashes = ['solid', 'dash', 'dot', 'dashdot', 'longdash'];
  const draw = () => {
    const traces = [];
    data.groups.forEach((group, i) => {
      const x = group.mean.map((_, n) => n + 1);
      const color = palette[i % palette.length];
      if (group.studies.length > 1) {
        traces.push({ type: 'scatter', mode: 'lines', x, y: group.low, line: { width: 0, shape: 'hv' }, hoverinfo: 'skip', showlegend: false });
        traces.push({ type: 'scatter', mode: 'lines', x, y: group.high, fill: 'tonexty', fillcolor: color + '33', line: { width: 0, shape: 'hv' }, hoverinfo: 'skip', showlegend: false });
      }
      traces.push({ type: 'scatter', mode: 'lines', name: `${text(group.name)} (${group.studies.length})`, x, y: group.mean, line: { color, width: 2, shape: 'hv', dash: dashes[i % dashes.length] } });
    });
    const axis = (title) => ({ title: { text: text(title) }, gridcolor: css('--line'), zerolinecolor: css('--line'), automargin: true });
    Plotly.react('plot-compare', traces, { height: 480, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', font: { color: css('--fg') }, margin: { l: 56, r: 12, t: 12, b: 44 }, legend: { orientation: 'h', y: -0.2 }, showlegend: true, xaxis: axis('trial'), yaxis: axis(`best ${data.metric} so far`) }, { displayModeBar: false, responsive: true });
    document.getElementById('plot-compare').dataset.drawn = '1';
    document.documentElement.dataset.ready = '1';
  };
  draw();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
