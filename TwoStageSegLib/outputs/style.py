"""The report's look: one style sheet for screen and print, no fonts or files from elsewhere."""

CSS = """
:root { --ink: #1b2430; --soft: #5a6675; --line: #d9dfe6; --back: #f4f6f8; --good: #2b3a4b; --look: #8a4b00;
  --missing: #a3161a }
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 15px/1.45 system-ui, "Segoe UI", Roboto, Arial,
  sans-serif }
main { max-width: 1200px; margin: 0 auto; padding: 24px 20px 40px }
h1 { font-size: 25px; margin: 0 0 4px }
h2 { font-size: 19px; margin: 32px 0 10px }
h3 { font-size: 18px; margin: 0 0 8px; overflow-wrap: anywhere }
p { margin: 0 0 8px }
.soft { color: var(--soft) }
.summary { font-size: 17px; margin: 10px 0 14px }
.notice { border-left: 5px solid var(--look); background: #fff6e5; padding: 10px 14px; margin: 14px 0; border-radius:
  0 6px 6px 0 }
.notice p:last-child { margin: 0 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 3px 16px; margin: 0 }
dt { color: var(--soft) }
dd { margin: 0; overflow-wrap: anywhere }
.panel, .organ, .scroll { background: #fff; border: 1px solid var(--line); border-radius: 8px; padding: 16px }
.scroll { overflow-x: auto; padding: 4px 16px }
.organ { display: grid; grid-template-columns: 1fr auto; gap: 20px; margin-bottom: 14px; break-inside: avoid }
.organ.missing { border-color: #e3a9ab }
.swatch { display: inline-block; width: 15px; height: 15px; border: 1px solid #0006; border-radius: 3px; margin-right:
  8px;
  vertical-align: -2px; print-color-adjust: exact; -webkit-print-color-adjust: exact }
.badge { display: inline-block; font-weight: 600; padding: 1px 10px; border-radius: 11px; border: 1px solid;
  margin-bottom: 10px;
  white-space: nowrap }
.good { color: var(--good) } .look { color: var(--look) } .missing .badge, td.missing, .badge.missing { color:
  var(--missing) }
.organ.missing { color: inherit }
.notes { margin: 10px 0 0; padding-left: 18px } .notes li { margin-bottom: 5px }
.views { display: flex; gap: 12px; flex-wrap: wrap }
figure { margin: 0; width: 280px }
.frame { position: relative; width: 280px; height: 280px; background: #000; border-radius: 4px; overflow: hidden }
.frame img { display: block; width: 280px; height: 280px }
.frame b { position: absolute; color: #fff; font: 600 13px/1 system-ui, Arial, sans-serif; text-shadow: 0 0 3px #000,
  0 0 3px #000 }
.l { left: 6px; top: 50%; margin-top: -7px } .r { right: 6px; top: 50%; margin-top: -7px }
.t { top: 6px; left: 50%; margin-left: -5px } .b { bottom: 6px; left: 50%; margin-left: -5px }
figcaption { font-size: 13px; color: var(--soft); margin-top: 4px }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: 8px 14px 8px 0; border-bottom: 1px solid var(--line); vertical-align: top }
tbody tr:last-child > * { border-bottom: 0 }
thead th { color: var(--soft); font-weight: 600; white-space: nowrap } tbody th { font-weight: 600; white-space:
  nowrap }
.n { text-align: right; white-space: nowrap } th.n:last-child, td.n:last-child { padding-right: 0 }
td.word { font-weight: 600; white-space: nowrap }
.key { margin-bottom: 12px }
.review { grid-column: 1 / -1 } .review > p { margin: 6px 0 } .why { display: block; color: var(--ink) }
.profile { display: block; width: 100%; max-width: 720px; height: auto; font: 10px system-ui, Arial, sans-serif; fill:
  var(--soft) }
.audit { margin-top: 26px } .audit pre { font-size: 12px; overflow-x: auto; background: #fff; border: 1px solid
  var(--line); border-radius: 8px; padding: 12px; white-space: pre-wrap; overflow-wrap: anywhere }
footer { margin-top: 26px; color: var(--soft); font-size: 13px }
@media (max-width: 1180px) { .organ { grid-template-columns: 1fr } }
@media print { body { background: #fff; font-size: 12px } main { max-width: none; padding: 0 } h2 { break-after: avoid }
  figure, .frame, .frame img { width: 210px } .frame, .frame img { height: 210px } figcaption { font-size: 10px }
    .organ { grid-template-columns: 1fr; gap: 8px; padding: 10px } .organ dl { grid-template-columns: repeat(8,
  max-content) }
    .scroll { overflow: visible; padding: 2px 10px } table { font-size: 10.5px } thead th { white-space: normal;
  vertical-align: bottom } th, td { padding: 4px 8px 4px 0 }
  tr { break-inside: avoid } .frame, .notice { print-color-adjust: exact; -webkit-print-color-adjust: exact }
  @page { margin: 12mm } }
"""
