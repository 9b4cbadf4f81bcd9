/** Properties that an element has beside its attributes, and that say what it holds now. */
const asProperty = new Set(['value', 'checked', 'selected', 'disabled', 'hidden', 'open', 'indeterminate']);

/**
 * Makes an element. Text given as a child is text: nothing on this page is ever parsed as HTML.
 * `class`, `data` (an object) and `on` (event listeners by name) are special; undefined, null and false are left out.
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG. */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === 'on') for (const [event, listener] of Object.entries(value)) element.addEventListener(event, listener);
    else if (name === 'data') for (const [key, item] of Object.entries(value)) element.dataset[key] = item;
    else if (asProperty.has(name)) element[name] = value;
    else if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  element.append(...kept(children));
  return element;
}

const kept = (children) =>
  children.flat(Number.POSITIVE_INFINITY).filter((child) => child !== undefined && child !== null && child !== false);

/** Puts other children into an element. */
export function replace(element, ...children) {
  element.replaceChildren(...kept(children));
}

/** Sets text only where it differs: screen readers read live regions again when they are written to. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in order, by key; what is there already is kept and updated,
 * so that focus and selection stay. `make` gives `{ element, update(item) }`. Gives the keys that were not there before.
 */
export function reconcile(parent, known, items, keyOf, make) {
  const added = new Set();
  const wanted = new Set(items.map(keyOf));
  for (const [key, part] of known)
    if (!wanted.has(key)) {
      part.element.remove();
      known.delete(key);
    }
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = keyOf(item);
    let part = known.get(key);
    if (part === undefined) {
      part = make(item);
      known.set(key, part);
      added.add(key);
    }
    part.update(item);
    if (part.element === place) place = place.nextElementSibling;
    else parent.insertBefore(part.element, place);
  }
  return added;
}
