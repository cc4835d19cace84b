// The table of states for what is chosen: period, slice, group, scheme.
(() => {
  const form = document.getElementById("explore-choice");
  if (!form) return;
  const data = JSON.parse(document.getElementById("explore-data").textContent);
  const { group, decimal, before: mark, after } = data.format;
  const none = document.getElementById("explore-none");
  const place = document.getElementById("explore-table");
  const body = place.querySelector("tbody");
  const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, group);
  const number = (x, behind) => {
    const [whole, part] = Math.abs(x).toFixed(behind).split(".");
    const zero = !/[1-9]/.test(whole + (part ?? ""));
    return (x < 0 && !zero ? "\u2212" : "") + grouped(whole) + (part ? decimal + part : "");
  };
  const money = (x) => {
    const text = number(x, 2);
    return text.startsWith("\u2212") ? "\u2212" + mark + text.slice(1) + after : mark + text + after;
  };
  const writers = [
    (x) => number(x, 0),
    (x) => number(x * 100, 1) + "%",
    (x) => (x > 0 ? "+" : "") + number(x, 0),
    money,
    (x) => number(x * 100, 1) + "%",
    money,
    money,
  ];
  const key = (parts) => parts.join(" ");
  const rows = new Map(data.rows.map((row) => [key(row.slice(0, 5)), row.slice(5)]));
  const dates = new Set(data.rows.map((row) => key(row.slice(0, 3))));
  const swatch = (colour) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    const square = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    for (const [name, value] of [["class", "swatch"], ["width", 11], ["height", 11], ["aria-hidden", "true"]]) svg.setAttribute(name, value);
    for (const [name, value] of [["width", 11], ["height", 11], ["fill", colour]]) square.setAttribute(name, value);
    svg.append(square);
    return svg;
  };
  const show = () => {
    const chosen = ["date", "slice", "group", "scheme"].map((name) => Number(form.elements[name].value));
    const [date, slice, group, scheme] = chosen;
    const earlier = data.before[date];
    const hasEarlier = earlier !== null && dates.has(key([earlier, slice, group]));
    const lines = [];
    data.states[scheme].forEach(([label, colour], state) => {
      const now = rows.get(key([date, slice, group, scheme, state]));
      if (!now) return;
      const [customers, share, revenue, revenueShare, orderValue, annualValue] = now;
      const was = hasEarlier ? (rows.get(key([earlier, slice, group, scheme, state])) ?? [0])[0] : null;
      const change = customers === null || was === null ? null : customers - was;
      const line = document.createElement("tr");
      const name = line.insertCell();
      name.className = "short";
      name.append(swatch(colour), label);
      [customers, share, change, revenue, revenueShare, orderValue, annualValue].forEach((value, column) => {
        const cell = line.insertCell();
        cell.className = "n";
        cell.dataset.v = value ?? "";
        cell.textContent = value === null || value === undefined ? (customers === null ? data.hidden : "–") : writers[column](value);
      });
      lines.push(line);
    });
    body.replaceChildren(...lines);
    place.hidden = lines.length === 0;
    none.hidden = lines.length > 0;
    for (const head of place.querySelectorAll("th")) head.removeAttribute("aria-sort");
  };
  form.hidden = false;
  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.reset();
})();
