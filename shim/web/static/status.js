"use strict";

const chart = document.getElementById("chart");

for (const details of document.querySelectorAll("details.figures")) details.open = false;

// Redraw the chart when its size or the colours change. The table has the same numbers.
if (chart) {
  const data = JSON.parse(document.getElementById("data").textContent);
  const DAY = 86400;
  const today = data.days.at(-1);
  const tomorrow = today + DAY;
  const most = Math.max(1, ...data.remaining, ...data.active);
  const hasPace = data.sunset > tomorrow && data.remaining.at(-1) > 0;
  const first = Math.min(data.days[0], today - 14 * DAY);
  const last = Math.max(tomorrow, hasPace ? data.sunset : 0);

  // The line ends at the end of today, where the pace to the sunset begins.
  const remaining = data.remaining.at(-1);
  const none = data.days.map(() => null);
  const series = [
    [...data.days, tomorrow, ...(hasPace ? [data.sunset] : [])],
    [...data.active, null, ...(hasPace ? [null] : [])],
    [...data.remaining, remaining, ...(hasPace ? [null] : [])],
    [...none, ...(hasPace ? [remaining, 0] : [null])],
  ];

  const size = () => ({ width: chart.clientWidth, height: Math.min(320, Math.max(220, chart.clientWidth * 0.36)) });
  let plot = null;

  const draw = () => {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(`--${name}`).trim();
    const font = `13px ${getComputedStyle(document.body).fontFamily}`;
    const written = { day: "numeric", month: "short", timeZone: "UTC" };
    const axis = { stroke: colour("quiet"), font, ticks: { show: false } };
    const options = {
      ...size(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "UTC"),
      legend: { show: false },
      cursor: { show: false },
      padding: [24, 12, 0, 0],
      scales: { x: { range: [first, last] }, y: { range: [0, most * 1.1] } },
      axes: [
        {
          ...axis,
          grid: { show: false },
          space: 80,
          size: 30,
          values: (_, days) => days.map((day) => new Date(day * 1000).toLocaleDateString("en-GB", written)),
        },
        {
          ...axis,
          grid: { stroke: colour("line"), width: 1 },
          size: 36,
          splits: () => Array.from({ length: most + 1 }, (_, at) => at).filter((at) => at % Math.ceil(most / 5) === 0),
        },
      ],
      series: [
        {},
        { paths: uPlot.paths.bars({ size: [1, Infinity], align: 1 }), fill: colour("called"), width: 0, points: { show: false } },
        {
          paths: uPlot.paths.stepped({ align: 1 }),
          stroke: colour("accent"),
          fill: colour("accent-wash"),
          width: 2.5,
          points: { show: false },
        },
        { stroke: colour("quiet"), width: 1.5, dash: [5, 5], spanGaps: true, points: { show: false } },
      ],
      hooks: { draw: [(self) => markSunset(self, colour, font)] },
    };
    plot?.destroy();
    plot = new uPlot(options, series, chart);
  };

  const markSunset = (self, colour, font) => {
    if (!(data.sunset >= first && data.sunset <= last)) return;
    const { ctx, bbox } = self;
    const at = Math.round(self.valToPos(data.sunset, "x", true));
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("text");
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([]);
    ctx.beginPath();
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
    ctx.stroke();
    ctx.font = font.replace("13px", `${13 * devicePixelRatio}px`);
    ctx.textAlign = at > bbox.left + bbox.width / 2 ? "right" : "left";
    ctx.fillText("sunset", at, bbox.top - 8 * devicePixelRatio);
    ctx.restore();
  };

  draw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new ResizeObserver(() => chart.clientWidth !== plot.width && plot.setSize(size())).observe(chart);
}

// Browsers offer navigator.clipboard only on loopback and https. Elsewhere, copy the selection.
const copy = async (source) => {
  if (navigator.clipboard) return navigator.clipboard.writeText(source.textContent);
  getSelection().selectAllChildren(source);
  if (!document.execCommand("copy")) throw new Error("refused");
};

for (const button of document.querySelectorAll("button.copy")) {
  const label = button.firstChild;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const source = document.getElementById(button.dataset.copies);
    const told = await copy(source).then(
      () => "Copied",
      () => "Selected: copy it with Ctrl+C",
    );
    if (told !== "Copied") getSelection().selectAllChildren(source);
    label.data = told;
    document.getElementById("told").textContent = told;
    setTimeout(() => (label.data = "Copy"), 2500);
  });
}
