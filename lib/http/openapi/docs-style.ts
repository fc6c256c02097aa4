/** Follows the reader's colours, width and font size; prints without the contents. */
export const DOCS_STYLE = `
:root { color-scheme: light dark; --line: light-dark(#d8dde3, #353b42); --soft: light-dark(#f5f7f9, #1d2126);
  --text: light-dark(#1b1f24, #e6e9ec); --back: light-dark(#ffffff, #14171a); --mute: light-dark(#59626c, #9aa4ae);
  --link: light-dark(#0b57c4, #7fb2ff); --get: light-dark(#0a6b3d, #5fd39a); --post: light-dark(#8a4b00, #f0b35b);
  --delete: light-dark(#b3261e, #ff9a91); }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
body { margin: 0; display: grid; grid-template-columns: 19rem minmax(0, 1fr); color: var(--text); background: var(--back);
  font: 1rem/1.55 system-ui, sans-serif; }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.25rem 1rem; background: var(--soft);
  border-right: 1px solid var(--line); font-size: .875rem; }
nav h2 { margin: 1.1rem 0 .2rem; font-size: .75rem; letter-spacing: .06em; text-transform: uppercase; color: var(--mute); }
nav ul { margin: 0; padding: 0; list-style: none; }
nav li a { display: block; padding: .2rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a.home { font-size: 1rem; font-weight: 650; color: inherit; text-decoration: none; }
nav a:hover { text-decoration: underline; }
main { padding: 2rem clamp(1rem, 4vw, 3.5rem); max-width: 66rem; }
h1 small { font-size: 1rem; font-weight: 400; color: var(--mute); }
section > h2 { margin: 2.5rem 0 .5rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); text-transform: capitalize; }
article { margin: 1.75rem 0 2.5rem; }
h3 { margin: 0 0 .3rem; font-size: 1.05rem; overflow-wrap: anywhere; }
h4 { margin: 1rem 0 .3rem; font-size: .875rem; color: var(--mute); }
p { margin: .4rem 0; max-width: 48rem; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code, pre, b.method { font-family: ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: .875em; }
pre { padding: .8rem 1rem; overflow-x: auto; background: var(--soft); border: 1px solid var(--line); border-radius: 6px; }
b.method { text-transform: uppercase; color: var(--post); }
b.get { color: var(--get); } b.delete { color: var(--delete); }
.scope, small { color: var(--mute); }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
td { padding: .35rem .75rem .35rem 0; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
td:first-child { width: 15rem; }
article table tr[class^="s"] td:first-child { width: 3.5rem; font-variant-numeric: tabular-nums; }
article table tr[class^="s"] td:nth-child(2) { width: 15rem; }
tr.s4 td:first-child, tr.s5 td:first-child { color: var(--mute); }
@media (max-width: 50rem) { body { display: flex; flex-direction: column; }
  nav { order: 1; position: static; height: auto; border-right: 0; border-top: 1px solid var(--line); }
  nav ul { columns: 14rem; } td:first-child { width: auto; } }
@media print { body { display: block; } nav { display: none; } }
`;
