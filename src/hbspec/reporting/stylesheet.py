"""The style sheet of a report: light and dark by the reader's system, readable on a phone and on paper."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from hbspec.reporting.colours import DARK, LIGHT, declared

RULES = """\
*{box-sizing:border-box}
html{color-scheme:light dark;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
header,nav,main,footer{max-width:62rem;margin:0 auto;padding:0 1rem}
h1{font-size:1.75rem;line-height:1.2;margin:1.5rem 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.35rem;margin:2.5rem 0 .5rem;padding-top:.5rem;border-top:1px solid var(--line);overflow-wrap:anywhere}
h3{font-size:1.1rem;margin:2rem 0 .5rem}
p{margin:.4rem 0;max-width:46rem;overflow-wrap:anywhere}
a{color:var(--link)}
.skip{position:absolute;left:-100vw}
.skip:focus{left:1rem;top:.5rem;padding:.25rem .5rem;background:var(--panel)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
nav ol{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;margin:1rem 0;padding:0}
.good,.open,.bad{border-left:.3rem solid;padding-left:.6rem;font-weight:600}
.good{color:var(--good)}
.open{color:var(--open)}
.bad{color:var(--bad)}
.made,caption,figcaption{color:var(--faint)}
figure{margin:1rem 0}
figcaption{font-size:.9rem;max-width:46rem}
figcaption strong{color:var(--ink)}
.wide{overflow-x:auto;margin:1rem 0}
figure .wide{margin:.25rem 0}
svg{display:block;min-width:34rem;max-width:100%;height:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:.25rem 0}
th,td{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
td,tbody th{max-width:30rem;overflow-wrap:break-word}
td{min-width:5.5rem}
thead th{vertical-align:bottom}
tbody th{font-weight:600;min-width:9rem}
@media print{
body{font-size:10pt}
nav,.skip{display:none}
.wide{overflow:visible}
table{font-size:8pt}
th,td{padding-right:.4rem}
td,tbody th{min-width:0}
svg{min-width:0}
figure,tr{break-inside:avoid}
h2,h3,caption{break-after:avoid}
}
"""
STYLESHEET = (
    f":root{{{declared(LIGHT)}}}\n@media screen and (prefers-color-scheme:dark){{:root{{{declared(DARK)}}}}}\n{RULES}"
)
POLICY = (
    "default-src 'none'; "
    f"style-src 'sha256-{b64encode(sha256(STYLESHEET.encode()).digest()).decode()}'; "
    "base-uri 'none'; form-action 'none'"
)
"""The Content Security Policy: nothing is loaded, nothing runs, and no style applies but this sheet."""
