// Elements and answers, for every part of the page.

export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value);
  }
  node.append(...children.flat().filter(child => child !== null));
  return node;
}

/** New neighbours for a child that must stay where it is: it keeps the focus, and what was typed into it. */
export function around(root, before, kept, after) {
  for (const child of [...root.children]) if (child !== kept) child.remove();
  if (kept.parentNode !== root) root.append(kept);
  root.prepend(...before);
  root.append(...after);
}
