// Moving between cards by arrow keys: rows and columns as they are laid out just now.

/** Whether keys go into a field. */
export const isTyping = () => {
  const here = document.activeElement;
  return here.matches(
    "input:not([type=range], [type=checkbox], [type=radio]), select, textarea, [contenteditable]",
  );
};

/** Follow an arrow key from the card that has the focus; whether it led anywhere. */
export function moveBetweenCards(place, event) {
  const cards = [...place.querySelectorAll(".card")];
  const at = cards.findIndex((one) => one.contains(document.activeElement));
  if (at < 0) return false;
  const columns = getComputedStyle(cards[at].parentElement).gridTemplateColumns.split(" ").length;
  const to = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    Home: 0,
    End: cards.length - 1,
  }[event.key];
  if (to === undefined || !cards[to]) return false;
  event.preventDefault();
  cards[to].querySelector("a").focus();
  cards[to].scrollIntoView({ block: "nearest" });
  return true;
}

/** The card that has the focus, if one has. */
export const cardInFocus = (place) =>
  [...place.querySelectorAll(".card")].find((one) => one.contains(document.activeElement)) ?? null;

/** Put new cards in place of others; a keyboard stays where it was, or at the same picture. */
export function replaceCards(list, cards) {
  const before = cardInFocus(list);
  const at = before ? [...list.children].indexOf(before) : -1;
  const inside = before && document.activeElement.dataset.act;
  list.replaceChildren(...cards);
  if (!before || !cards.length) return;
  const card =
    cards.find((one) => one.dataset.id === before.dataset.id) ??
    cards[Math.min(at, cards.length - 1)];
  (card.querySelector(`[data-act="${inside}"]`) ?? card.querySelector("a")).focus();
}
