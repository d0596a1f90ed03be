/* Draws the figures of a page: each JSON block marked data-chart stands in a figure, with an empty
   .plot before it and its table after it. The colours are the page's own tokens, so dark mode and print need no second
   palette; without this script the tables say the same.

   A chart is {kind, categories, series: [{name, tone, values}], texts: [[...]], axis}:
   kind "stacked" (one bar a category, parts add up to 100 %), "bars" (one bar a category), "columns" (upright);
   tone one of the outcome tokens, or a list with one for each category; texts what to write at each bar. */
(function () {
  "use strict";
  var drawn = [];
  var still = window.matchMedia("(prefers-reduced-motion: reduce)");
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function fill(tone) {
    if (tone === "unanswered") {
      return { color: token("paper"), borderColor: token("unanswered"), borderType: "dashed", borderWidth: 1 };
    }
    return { color: token(tone), borderColor: token("paper"), borderWidth: tone === "accent" ? 0 : 1 };
  }

  function label(text, weight) {
    return { color: token(weight ? "ink" : "muted"), fontFamily: token("font"), fontSize: 13, formatter: text };
  }

  function points(spec, one, at) {
    return one.values.map(function (value, i) {
      var tone = Array.isArray(one.tone) ? one.tone[i] : one.tone;
      return { value: value, itemStyle: fill(tone || "accent"), label: { show: at, formatter: (spec.texts || [])[i] || "" } };
    });
  }

  function series(spec) {
    var stacked = spec.kind === "stacked";
    return spec.series.map(function (one, k) {
      var last = k === spec.series.length - 1;
      var side = spec.kind === "columns" ? "top" : "right";
      return {
        type: "bar", name: one.name, stack: stacked ? "all" : undefined, data: points(spec, one, last && !stacked),
        barMaxWidth: spec.kind === "columns" ? 40 : 20, barCategoryGap: "32%", cursor: "default",
        barMinHeight: stacked ? 3 : 2, emphasis: { disabled: true },
        label: Object.assign(label(undefined, true), { position: side, distance: 6 })
      };
    });
  }

  function option(spec, width) {
    var upright = spec.kind === "columns";
    var names = {
      type: "category", data: spec.categories, inverse: !upright, axisTick: { show: false },
      axisLine: { lineStyle: { color: token("ink") } },
      axisLabel: Object.assign(label(undefined, true), {
        formatter: undefined, interval: upright ? "auto" : 0, hideOverlap: upright,
        width: upright ? undefined : Math.min(168, width * 0.34), overflow: "truncate"
      })
    };
    var amounts = { type: "value", show: false, min: 0, max: spec.kind === "stacked" ? 100 : undefined };
    return {
      animation: false, textStyle: { fontFamily: token("font") },
      grid: {
        left: upright ? 8 : Math.min(176, width * 0.36), right: spec.kind === "stacked" ? 4 : upright ? 8 : Math.min(128, width * 0.24),
        top: upright ? 28 : 4, bottom: upright ? 28 : 4, containLabel: false
      },
      xAxis: upright ? names : amounts, yAxis: upright ? amounts : names, series: series(spec),
      animationDuration: still.matches ? 0 : 150
    };
  }

  function height(spec) {
    return spec.kind === "columns" ? 240 : spec.categories.length * 32 + 8;
  }

  function draw(one, width) {
    var wide = width || one.plot.clientWidth;
    if (!wide) { return; }
    one.plot.style.height = height(one.spec) + "px";
    one.chart = one.chart || window.echarts.init(one.plot);
    one.chart.resize({ width: wide, height: height(one.spec) });
    one.chart.setOption(option(one.spec, wide), true);
    one.chart.getZr().flush();
  }

  function drawAll(width) {
    drawn.forEach(function (one) { draw(one, width); });
  }

  function find() {
    document.querySelectorAll("script[data-chart]").forEach(function (data) {
      var plot = data.parentElement.querySelector(".plot");
      plot.textContent = "";
      plot.style.display = "block";
      drawn.push({ plot: plot, spec: JSON.parse(data.textContent) });
    });
    drawAll();
  }

  function printing(on) {
    // Paper is always light, and no wider than a page.
    document.documentElement.toggleAttribute("data-theme", on);
    if (on) { document.documentElement.setAttribute("data-theme", "light"); }
    drawAll(on ? 656 : undefined);
  }

  find();
  dark.addEventListener("change", function () { drawAll(); });
  window.addEventListener("resize", function () { drawAll(); });
  window.addEventListener("beforeprint", function () { printing(true); });
  window.addEventListener("afterprint", function () { printing(false); });
  document.addEventListener("huanxin:shown", function () { drawAll(); });
})();
