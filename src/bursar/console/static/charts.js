/* Draws every table that is marked as a chart. The table is the source: what it says is what is
   drawn, and where no script runs it stays the whole truth. No value is put into HTML here. */
"use strict";
(() => {
  const TONES = ["--accent", "--good", "--busy", "--bad", "--soft"];
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  const drawn = [];

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  const read = (figure) => {
    const heads = [...figure.querySelectorAll("thead th")].slice(1);
    const rows = [...figure.querySelectorAll("tbody tr")];
    return {
      labels: rows.map((row) => row.cells[0].textContent),
      series: heads.map((head, at) => ({
        name: head.textContent,
        tone: head.dataset.tone,
        cells: rows.map((row) => row.cells[at + 1]),
      })),
    };
  };

  const short = ({ locale, currency, exponent }) => {
    const style = currency ? { style: "currency", currency } : {};
    const print = new Intl.NumberFormat(locale, { ...style, notation: "compact", maximumFractionDigits: 1 });
    const scale = 10 ** Number(exponent || 0);
    return (value) => print.format(value / scale);
  };

  const option = (figure) => {
    const { labels, series } = read(figure);
    const kind = figure.dataset.chart;
    const ink = color("--soft");
    const line = { lineStyle: { color: color("--line") } };
    return {
      animation: !still.matches,
      animationDuration: 300,
      color: TONES.map(color),
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
      grid: { left: 4, right: 12, top: series.length > 1 ? 34 : 14, bottom: 4, containLabel: true },
      legend: { show: series.length > 1, top: 0, left: 0, icon: "roundRect", itemWidth: 12, itemHeight: 8, textStyle: { color: ink } },
      tooltip: {
        trigger: "axis",
        renderMode: "richText",
        confine: true,
        backgroundColor: color("--paper"),
        borderColor: color("--line"),
        textStyle: { color: color("--ink"), fontSize: 13 },
        axisPointer: { type: kind === "line" ? "line" : "shadow" },
        formatter: (found) =>
          [labels[found[0].dataIndex], ...found.map((one) => `${one.seriesName}: ${series[one.seriesIndex].cells[one.dataIndex].textContent}`)].join("\n"),
      },
      xAxis: { type: "category", data: labels, axisTick: { show: false }, axisLine: line, axisLabel: { color: ink, hideOverlap: true } },
      yAxis: { type: "value", splitNumber: 4, splitLine: line, axisLabel: { color: ink, formatter: short(figure.dataset) } },
      series: series.map((each) => ({
        name: each.name,
        type: kind === "line" ? "line" : "bar",
        stack: kind === "stack" ? "all" : undefined,
        barMaxWidth: 34,
        showSymbol: false,
        lineStyle: { width: 2.5 },
        areaStyle: kind === "line" && series.length === 1 ? { opacity: 0.12 } : undefined,
        itemStyle: each.tone ? { color: color(each.tone) } : { borderRadius: kind === "bar" ? [3, 3, 0, 0] : 0 },
        data: each.cells.map((cell) => Number(cell.dataset.value)),
      })),
    };
  };

  const draw = (figure) => {
    const place = document.createElement("div");
    place.className = "canvas";
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", `${figure.querySelector("h2").textContent}; the table below says the same`);
    const plain = figure.querySelector("svg");
    if (plain) plain.replaceWith(place);
    else figure.querySelector("details").before(place);
    figure.querySelector(".axis")?.remove();
    figure.querySelector("details").open = false;
    const chart = echarts.init(place, null, { renderer: "canvas" });
    chart.setOption(option(figure));
    new ResizeObserver(() => chart.resize()).observe(place);
    drawn.push({ figure, chart });
  };

  document.querySelectorAll("figure[data-chart]").forEach(draw);
  const redraw = ({ figure, chart }) => chart.setOption(option(figure), true);
  document.addEventListener("bursar:fresh", ({ target }) => drawn.filter(({ figure }) => figure.contains(target)).forEach(redraw));
  dark.addEventListener("change", () => drawn.forEach(redraw));
})();
