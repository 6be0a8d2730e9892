import type { Machine } from "./machine.ts";
import type { Measure, Spread, SummaryRow } from "./summary.ts";

/** One half of the chart, with a bar per contestant. */
interface Panel {
  readonly title: string;
  readonly hint: string;
  readonly measure: Measure;
}

const PANELS: readonly Panel[] = [
  { title: "Worker CPU, µs per message", hint: "less is better", measure: "workerMicros" },
  { title: "Messages per second", hint: "more is better", measure: "perSecond" },
];

const WIDTH = 900;
const LABELS = 310;
const BAR = 16;
const STEP = 26;
/** Room for the number at the end of the longest bar. */
const NUMBERS = 90;
const HEAD = 46;
const MARGIN = 16;

/**
 * The picture contains its own colors and background, so that it is legible on any page. It follows the
 * reader's preference for a dark page if the viewer supports that.
 */
const STYLE = `
text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
.title { font-weight: 600; font-size: 14px; }
.hint, .number { fill: #59636e; }
.ground { fill: #ffffff; stroke: #d1d9e0; }
.ours { fill: #0a7d6c; }
.other { fill: #9aa4af; }
.spread { stroke: #1f2328; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .hint, .number { fill: #9198a1; }
  .ground { fill: #0d1117; stroke: #3d444d; }
  .ours { fill: #2bb39b; }
  .other { fill: #5b6570; }
  .spread { stroke: #e6edf3; }
}
`;

/** Draws the medians as bars and the spreads as lines, in SVG. Leaves out contestants without figures. */
export function drawChart(rows: readonly SummaryRow[], machine: Machine): string {
  const drawn = rows.filter(({ figures }) => figures !== undefined);
  const panelHeight = HEAD + drawn.length * STEP + 14;
  const height = PANELS.length * panelHeight + MARGIN + 24;
  const panels = PANELS.map((panel, index) =>
    `<g transform="translate(0 ${MARGIN + index * panelHeight})">${drawPanel(panel, drawn)}</g>`
  );
  const most = Math.max(...drawn.map(({ messages }) => messages));
  const under =
    `${most.toLocaleString("en")} messages each unless stated otherwise; medians, with ` +
    `lines from lowest to highest; ${machine.cores} cores, ${machine.date}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}"` +
    ` viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="Cost and speed of Maskline and others">
<style>${STYLE}</style>
<rect class="ground" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
${panels.join("\n")}
<text class="hint" x="${MARGIN}" y="${height - 14}">${escape(under)}</text>
</svg>
`;
}

function drawPanel({ title, hint, measure }: Panel, rows: readonly SummaryRow[]): string {
  const spreads = rows.flatMap(({ figures }) => figures ? [figures[measure]] : []);
  const longest = Math.max(...spreads.map(({ max }) => max));
  const scale = (WIDTH - LABELS - NUMBERS - MARGIN) / longest;
  const most = Math.max(...rows.map(({ messages }) => messages));
  const bars = rows.flatMap((row, index) => {
    const spread = row.figures?.[measure];
    return spread ? [drawBar(row, spread, { y: HEAD + index * STEP, scale, most })] : [];
  });
  return `<text class="title" x="${MARGIN}" y="18">${escape(title)}` +
    ` <tspan class="hint" font-weight="400">(${hint})</tspan></text>\n${bars.join("\n")}`;
}

/** The position of a bar and the length of a unit. */
interface Place {
  readonly y: number;
  readonly scale: number;
  /** Messages of most contestants. A contestant with fewer has its number next to its name. */
  readonly most: number;
}

function drawBar(row: SummaryRow, { median, min, max }: Spread, { y, scale, most }: Place): string {
  const kind = row.id.startsWith("maskline") ? "ours" : "other";
  const name = row.messages < most
    ? `${row.name} (${row.messages.toLocaleString("en")})`
    : row.name;
  const width = Math.max(1, median * scale);
  const middle = y - BAR / 2 + 4;
  const at = (value: number) => (LABELS + value * scale).toFixed(1);
  const line = min === max
    ? ""
    : `<line class="spread" x1="${at(min)}" x2="${at(max)}" y1="${middle}" y2="${middle}"/>`;
  const digits = median < 100 ? 1 : 0;
  const number = median.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return `<text x="${LABELS - 10}" y="${y}" text-anchor="end">${escape(name)}</text>` +
    `<rect class="${kind}" x="${LABELS}" y="${y - BAR + 4}" width="${width.toFixed(1)}"` +
    ` height="${BAR}" rx="2"/>${line}` +
    `<text class="number" x="${Number(at(Math.max(median, max))) + 8}" y="${y}">${number}</text>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
