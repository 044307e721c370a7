// SPDX-License-Identifier: Apache-2.0
// Creates and updates elements. Texts are always set as text, never as markup.

export const byId = (id) => document.getElementById(id);

// element('td', {class: 'number'}, 'text', child, ...)
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function svg(tag, attributes = {}) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(attributes))
    made.setAttribute(name, value);
  return made;
}

// Sets a text only if it differs, so that a selection and a screen reader's
// position are kept.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// Fills a <dl> with terms and descriptions.
export function setPairs(list, pairs) {
  const old = [...list.children];
  const fits = old.length === pairs.length &&
    pairs.every(([term], i) => old[i].firstChild.textContent === term);
  if (!fits)
    list.replaceChildren(...pairs.map(([term]) =>
      element('div', {}, element('dt', {}, term), element('dd'))));
  pairs.forEach(([, text, level], i) => {
    const description = list.children[i].lastChild;
    setText(description, text);
    description.dataset.level = level ?? 'good';
  });
}
