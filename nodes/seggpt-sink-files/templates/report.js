const list = document.getElementById("cards"), cards = [...list.children];
const find = document.getElementById("find"), sort = document.getElementById("sort");
const show = () => {
  const words = find.value.toLowerCase().split(/\s+/), [key, way] = sort.value.split(" ");
  const order = key === "name"
    ? (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true })
    : (a, b) => a.dataset[key] - b.dataset[key];
  cards.sort((a, b) => order(a, b) * way);
  for (const card of cards) card.hidden = !words.every(word => card.dataset.words.includes(word));
  list.append(...cards);
  document.getElementById("count").textContent = `${cards.filter(card => !card.hidden).length} of ${cards.length}`;
};
if (cards.length > 1) {
  document.querySelector(".tools").hidden = false;
  find.addEventListener("input", show);
  sort.addEventListener("change", show);
  show();
}
