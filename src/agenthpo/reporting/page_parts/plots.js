'use strict';
// What the pages draw with. Their data is gzip in base64: all of it is data, nothing of it is code.
const inflated = async (id) => {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return await new Response(stream).text();
};
const loadPlotly = async () => {
  const code = document.createElement('script');
  code.nonce = document.querySelector('script[nonce]').nonce;
  code.textContent = await inflated('plotly');
  document.head.append(code);
};
// what Plotly would take for markup becomes text
const text = (x, most = 400) => {
  const s = String(x);
  return (s.length > most ? s.slice(0, most) + ' …' : s).replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
};
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const palette = ['#0b6fc2', '#c2570b', '#0f8a5f', '#a3328f', '#8a7400', '#5a5fcf', '#b3261e'];
const plain = { paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)', margin: { l: 56, r: 12, t: 12, b: 44 }, legend: { orientation: 'h', y: -0.2 } };
const axis = (title, more = {}) => ({ title: { text: text(title, 60) }, gridcolor: css('--line'), zerolinecolor: css('--line'), automargin: true, exponentformat: 'e', ...more });
const isPrinted = () => 'print' in document.documentElement.dataset;
const show = (place, traces, shape) => {
  const width = isPrinted() ? { width: place.clientWidth } : {};
  Plotly.react(place, traces, { ...plain, ...shape, ...width }, { displayModeBar: false, responsive: true });
  place.dataset.drawn = '1';
};
// on paper nothing can be unfolded, and pictures are as wide as the paper, and dark on light
const followPrinting = (redraw) => {
  let unfolded = [];
  addEventListener('beforeprint', () => {
    if (isPrinted()) return;
    unfolded = [...document.querySelectorAll('details:not([open]):not(#exchanges)')];
    for (const each of unfolded) each.open = true;
    document.documentElement.dataset.print = '1';
    redraw();
  });
  addEventListener('afterprint', () => {
    for (const each of unfolded) each.open = false;
    delete document.documentElement.dataset.print;
    // a picture that was given a width keeps it, however wide its place
    for (const each of document.querySelectorAll('.plot[data-drawn]')) Plotly.purge(each);
    redraw();
  });
};
