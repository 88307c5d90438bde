(async () => {
  const data = JSON.parse(await inflated('data'));
  await loadPlotly();
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
      traces.push({ type: 'scatter', mode: 'lines', name: `${text(group.name, 60)} (${group.studies.length})`, x, y: group.mean, line: { color, width: 2, shape: 'hv', dash: dashes[i % dashes.length] } });
    });
    show(document.getElementById('plot-compare'), traces, { height: 480, font: { color: css('--fg') }, showlegend: true, xaxis: axis('trial'), yaxis: axis(`best ${data.metric} so far`) });
    document.documentElement.dataset.ready = '1';
  };
  draw();
  followPrinting(draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
