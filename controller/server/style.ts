// The one style sheet: light and dark by the reader's choice, colours with a contrast of 4.5 and more (ux.md 1.8).

export const STYLE = `:root {
  color-scheme: light dark;
  --text: #1f2328; --muted: #59636e; --page: #ffffff; --panel: #f6f8fa; --line: #d1d9e0;
  --ok: #116329; --run: #0550ae; --wait: #7d4e00; --bad: #a40e26; --drift: #6639ba;
}
@media (prefers-color-scheme: dark) {
  :root {
    --text: #e6edf3; --muted: #9198a1; --page: #0d1117; --panel: #161b22; --line: #3d444d;
    --ok: #56d364; --run: #79c0ff; --wait: #e3b341; --bad: #ff7b72; --drift: #d2a8ff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 72rem; padding: 0 1rem 2rem;
  background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, sans-serif;
}
a { color: var(--run); }
:focus-visible { outline: 2px solid var(--run); outline-offset: 2px; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--page); padding: 0.5rem; }
header, footer { display: flex; gap: 1rem; align-items: center; padding: 1rem 0; color: var(--muted); }
header { border-bottom: 1px solid var(--line); }
header > a, footer > a { padding: 0.6rem 0; }
header > span { flex: 1; }
.home { color: var(--text); font-weight: 700; text-decoration: none; }
footer { border-top: 1px solid var(--line); margin-top: 2rem; gap: 0.3rem; }
h1 { font-size: 1.5rem; margin: 1rem 0 0.5rem; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
.repositories { list-style: none; padding: 0; color: var(--muted); }
.repositories p { margin: 0.25rem 0; }
.attention { background: var(--panel); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 6px; padding: 0.25rem 1rem; margin: 1rem 0; }
.attention h2 { margin-top: 0.5rem; }
.attention ul { list-style: none; padding: 0; }
.attention li { margin: 0.75rem 0; }
.problem, .next, th small, td small { display: block; }
.next { color: var(--muted); }
.problem { color: var(--bad); overflow-wrap: anywhere; }
.scroll { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0; }
caption { text-align: left; font-size: 1.1rem; font-weight: 700; padding: 0.75rem 0 0.25rem; }
small { color: var(--muted); font-weight: 400; }
th, td { text-align: left; vertical-align: top; padding: 0.5rem 0.75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
.wide { white-space: normal; min-width: 16rem; overflow-wrap: anywhere; }
thead th { background: var(--panel); }
thead th > a { display: block; padding: 0.25rem 0; }
thead th .mark, thead th time { font-weight: 400; }
time { color: var(--muted); }
tbody th { font-weight: 600; }
code, pre { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 0.9em; }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem; overflow: auto; max-height: 30rem; }
figure { margin: 1rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.25rem 1rem; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
.ok { color: var(--ok); } .run { color: var(--run); } .wait { color: var(--wait); }
.bad { color: var(--bad); } .drift { color: var(--drift); } .muted { color: var(--muted); }
.mark { font-variant-emoji: text; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; font-size: 0.9rem; }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
@media (max-width: 40rem) {
  header > span { display: none; }
  .home { flex: 1; }
  dl { grid-template-columns: 1fr; }
  dd { margin-bottom: 0.5rem; }
}
`;
