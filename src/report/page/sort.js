"use strict";
// A click on the head of a column sorts its table: numbers by their value, text by the alphabet, empty cells last.
document.addEventListener("click", (event) => {
  const button = event.target.closest("th button");
  if (!button) return;
  const head = button.parentElement;
  const place = [...head.parentElement.children].indexOf(head);
  const up = head.getAttribute("aria-sort") !== "ascending";
  for (const other of head.parentElement.children) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const body = head.closest("table").tBodies[0];
  const value = (row) => {
    const cell = row.cells[place];
    const text = cell.dataset.v ?? cell.textContent;
    return text !== "" && "v" in cell.dataset ? Number(text) : text;
  };
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([a], [b]) => {
    if (a === "" || b === "") return (a === "") - (b === "");
    const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b));
    return up ? order : -order;
  });
  body.append(...rows.map(([, row]) => row));
});
// Paper shows every table.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => (d.open = true)));
