// Buttons at every table that save or copy it as CSV, a field that finds rows in all of them, and tips for fingers and keys.
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const button = (text, action) => {
    const out = document.createElement("button");
    out.type = "button";
    out.textContent = text;
    out.addEventListener("click", () => action(out));
    return out;
  };
  // No spreadsheet takes such a cell for a formula.
  const safe = (text) => (/^[\s]*[=+\-@\t\r＝＋－＠]/.test(text) ? "'" + text : text);
  // Without what keeps amounts from being broken over lines.
  const said = (node) => node.textContent.replaceAll("\u2060", "");
  const field = (cell) => {
    const isNumber = cell.classList.contains("n") && cell.dataset.v !== undefined;
    const lines = [...cell.childNodes].map((node) => said(node).trim()).filter(Boolean).join(" ");
    const text = isNumber && !cell.querySelector("small") ? cell.dataset.v : safe(lines);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const csv = (table) => [...table.rows].filter((row) => !row.hidden).map((row) => [...row.cells].map(field).join(",")).join("\r\n") + "\r\n";
  const save = (table, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(["\ufeff" + csv(table)], { type: "text/csv" }));
    link.download = name.replace(/[^\p{L}\p{N}]+/gu, "-").replace(/^-|-$/g, "").toLowerCase() + ".csv";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const copy = async (table, pressed) => {
    try {
      await navigator.clipboard.writeText(csv(table));
    } catch {
      const area = document.createElement("textarea");
      area.value = csv(table);
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    pressed.textContent = words.copied;
    setTimeout(() => (pressed.textContent = words.copy), 1500);
  };
  for (const box of document.querySelectorAll(".table")) {
    const table = box.querySelector("table");
    const tools = document.createElement("p");
    tools.className = "tools";
    const name = box.getAttribute("aria-label");
    tools.append(button(words.save, () => save(table, name)), button(words.copy, (pressed) => copy(table, pressed)));
    box.after(tools);
  }

  const search = document.getElementById("find");
  const found = document.getElementById("found");
  search.hidden = false;
  search.addEventListener("input", () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    let count = 0;
    for (const box of document.querySelectorAll(".table")) {
      const table = box.querySelector("table");
      let shown = 0;
      for (const row of table.tBodies[0].rows) {
        row.hidden = wanted !== "" && !said(row).toLocaleLowerCase().includes(wanted);
        shown += row.hidden ? 0 : 1;
      }
      const fold = box.closest("details");
      if (fold) {
        if (fold.dataset.was === undefined) fold.dataset.was = fold.open ? "open" : "";
        fold.open = wanted === "" ? fold.dataset.was !== "" : shown > 0;
        if (wanted === "") delete fold.dataset.was;
      }
      count += shown;
    }
    found.textContent = wanted === "" ? "" : words.found.replace("{n}", count);
  });

  const tip = document.createElement("p");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  document.addEventListener("click", (event) => {
    const title = event.target.closest("svg.chart [data-k]")?.querySelector("title");
    tip.hidden = !title;
    if (title) tip.textContent = title.textContent;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") tip.hidden = true;
  });
})();
