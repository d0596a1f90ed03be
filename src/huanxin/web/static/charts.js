/* Draws the figures of a page: each JSON block marked data-chart stands in a figure, with an empty
   .plot before it and its table after it. The colours are the page's own tokens, so dark mode and print need no second
   palette; without this script the tables say the same.

   A chart is {kind, categories, series: [{name, tone, values}], texts}:
   kind "stacked" (one bar a category, parts add up to 100 %), "bars" (one bar a category), "columns" (upright);
   tone one of the outcome tokens, or a list with one for each category; texts what to write at each bar;
   line, if given, an amount in per cent at which a dashed line crosses the bars.
   Nothing moves: the picture is there at once. */
(function () {
  "use strict";
  var drawn = [];
  var opened = [];
  var seen = window.innerWidth;
  var dark = window.matchMedia("(prefers-color-scheme: dark)");

  function token(name) {
    return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  }

  function fill(tone) {
    if (tone === "unanswered") {
      return { color: token("paper"), borderColor: token("unanswered"), borderType: "dashed", borderWidth: 1 };
    }
    return { color: token(tone), borderWidth: 0 };
  }

  function label(text, weight) {
    return { color: token(weight ? "ink" : "muted"), fontFamily: token("font"), fontSize: 13, formatter: text };
  }

  function points(spec, one) {
    return one.values.map(function (value, i) {
      var tone = Array.isArray(one.tone) ? one.tone[i] : one.tone;
      var style = value ? fill(tone || "accent") : { color: "transparent" };
      return { value: value, itemStyle: style, label: { formatter: (spec.texts || [])[i] || "" } };
    });
  }

  /* How long to draw the parts of one bar: true to scale, but a part that isn't nothing is at least `least` long,
     at the cost of the longest. */
  function lengths(values, least) {
    var drawn = values.map(function (value) { return value ? Math.max(value, least) : 0; });
    var longest = drawn.indexOf(Math.max.apply(null, drawn));
    var sum = drawn.reduce(function (one, other) { return one + other; }, 0);
    if (sum) { drawn[longest] -= sum - 100; }
    return drawn;
  }

  /* The parts of all stacked bars. A part carries its share where there is room for it. */
  function stack(spec, plot) {
    var bars = spec.categories.map(function (_, i) {
      return lengths(spec.series.map(function (one) { return one.values[i]; }), 400 / plot);
    });
    return spec.series.map(function (one, k) {
      var pale = one.tone === "absent" || one.tone === "unanswered";
      var style = fill(one.tone);
      if (one.tone !== "unanswered") { style.borderColor = token("paper"); style.borderWidth = 0.5; }
      return one.values.map(function (value, i) {
        return {
          value: bars[i][k] || null, itemStyle: style,
          label: {
            show: bars[i][k] * plot > 3600, formatter: Math.round(value) + "%",
            color: token(pale ? "ink" : "paper"), fontSize: 12
          }
        };
      });
    });
  }

  function series(spec, width) {
    var stacked = spec.kind === "stacked";
    var upright = spec.kind === "columns";
    var place = { show: !stacked, position: upright ? "top" : "right", distance: 6 };
    if (spec.line !== undefined) { Object.assign(place, { backgroundColor: token("paper"), padding: [0, 3] }); }
    if (upright && width / spec.categories.length < 44) {
      // Too narrow for figures side by side: they stand on end.
      place = { show: true, position: "top", rotate: 90, align: "left", verticalAlign: "middle", distance: 8 };
    }
    var parts = stacked ? stack(spec, width - Math.min(176, width * 0.36)) : null;
    var bars = spec.series.map(function (one, k) {
      return {
        type: "bar", name: one.name, stack: stacked ? "all" : undefined,
        data: stacked ? parts[k] : points(spec, one),
        barMaxWidth: upright ? 40 : 20, barCategoryGap: "32%", cursor: "default",
        barMinHeight: stacked ? 0 : 3, emphasis: { disabled: true },
        label: stacked ? { position: "inside" } : Object.assign(label(undefined, true), place)
      };
    });
    return spec.line === undefined ? bars : bars.concat(limit(spec));
  }

  /* A dashed line across the bars at an amount that matters. */
  function limit(spec) {
    return {
      type: "line", symbol: "none", silent: true, z: 1, lineStyle: { color: token("refused"), type: "dashed", width: 1.5 },
      data: spec.categories.map(function (_, i) { return [spec.line, i]; })
    };
  }

  function option(spec, width) {
    var upright = spec.kind === "columns";
    var names = {
      type: "category", data: spec.categories, inverse: !upright, axisTick: { show: false },
      axisLine: { lineStyle: { color: token("ink") } },
      axisLabel: Object.assign(label(undefined, true), {
        formatter: undefined, interval: upright ? "auto" : 0, hideOverlap: upright, showMaxLabel: upright || undefined,
        width: upright ? undefined : Math.min(168, width * 0.34), overflow: "break", lineHeight: 15
      })
    };
    var amounts = { type: "value", show: false, min: 0, max: spec.kind === "stacked" || spec.line !== undefined ? 100 : undefined };
    return {
      animation: false, textStyle: { fontFamily: token("font") },
      grid: {
        left: upright ? 8 : Math.min(176, width * 0.36), right: spec.kind === "stacked" ? 4 : upright ? 8 : Math.min(128, width * 0.24),
        top: upright ? 48 : 4, bottom: upright ? 28 : 4, containLabel: false
      },
      xAxis: upright ? names : amounts, yAxis: upright ? amounts : names, series: series(spec, width)
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
    if (on) { opened = document.querySelectorAll("details:not([open])"); }
    opened.forEach(function (one) { one.open = on; });
    drawAll(on ? 656 : undefined);
  }

  find();
  dark.addEventListener("change", function () { drawAll(); });
  window.addEventListener("resize", function () {
    // Phones report a resize whenever the address bar slides away.
    if (window.innerWidth !== seen) { seen = window.innerWidth; drawAll(); }
  });
  window.addEventListener("beforeprint", function () { printing(true); });
  window.addEventListener("afterprint", function () { printing(false); });
  document.addEventListener("huanxin:shown", function () { drawAll(); });
})();
