/** @typedef {Node | string | false | null | undefined | Child[]} Child */
/** @typedef {{ [name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[name]) => unknown }} Listeners */
/**
 * @typedef {'autocomplete' | 'autofocus' | 'checked' | 'class' | 'datetime' | 'disabled' | 'for' | 'hidden' | 'href' | 'id' | 'inputmode'
 *   | 'list' | 'maxlength' | 'method' | 'name' | 'novalidate' | 'placeholder' | 'role' | 'scope' | 'selected' | 'tabindex' | 'title'
 *   | 'type' | 'value' | 'height' | 'rx' | 'text-anchor' | 'width' | 'x' | 'x1' | 'x2' | 'y' | 'y1' | 'y2' | `aria-${string}`} Attribute
 */
/**
 * @typedef {{ [name in Attribute]?: string | number | boolean | null | undefined }
 *   & { data?: Record<string, string>, on?: Listeners | undefined }} Props
 */
/**
 * What is shown of an item: an element, and how it follows the item.
 * @template Item
 * @typedef {{ element: Element, update(item: Item): void }} Part
 */

/** Properties that an element has beside its attributes, and that say what it holds now. */
const asProperty = new Set(['value', 'checked', 'selected', 'disabled', 'hidden', 'open', 'indeterminate']);

/**
 * Makes an element. Text given as a child is text: nothing on this page is ever parsed as HTML.
 * `class`, `data` (an object) and `on` (event listeners by name) are special; undefined, null and false are left out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Props} props
 * @param {...Child} children
 */
export function h(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * The same for SVG.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Props} props
 * @param {...Child} children
 */
export function s(tag, props = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

/**
 * @template {HTMLElement | SVGElement} E
 * @param {E} element
 * @param {Props} props
 * @param {Child[]} children
 */
function fill(element, { on = {}, data = {}, ...attributes }, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    if (asProperty.has(name)) Object.assign(element, { [name]: value });
    else if (value !== false) element.setAttribute(name, value === true ? '' : String(value));
  }
  Object.assign(element.dataset, data);
  // It is given the event of its name alone.
  for (const [event, listener] of Object.entries(on))
    element.addEventListener(event, /** @type {EventListener} */ (listener));
  element.append(...kept(children));
  return element;
}

/** @param {Child[]} children @returns {(Node | string)[]} */
const kept = (children) =>
  children.flatMap((child) => {
    if (Array.isArray(child)) return kept(child);
    return child === undefined || child === null || child === false ? [] : [child];
  });

/**
 * The one element of the document, or of `root`, that is meant; throws where it is none of that type.
 * @template {Element} E
 * @param {string} selector
 * @param {new () => E} type
 * @param {ParentNode} root
 */
export function find(selector, type, root = document) {
  const found = root.querySelector(selector);
  if (found instanceof type) return found;
  throw new Error(
    `page: cannot find "${selector}": there is no ${type.name} of that kind. Put it into index.html, or into the view.`,
  );
}

/** Puts other children into an element. @param {Element} element @param {...Child} children */
export function replace(element, ...children) {
  element.replaceChildren(...kept(children));
}

/**
 * Sets text only where it differs: screen readers read live regions again when they are written to.
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of `parent` those of `items`, in order, by key; what is there already is kept and updated,
 * so that focus and selection stay. Gives the keys that were not there before.
 * @template Item
 * @template {Part<Item>} P
 * @param {Element} parent
 * @param {Map<string, P>} known
 * @param {Item[]} items
 * @param {(item: Item) => string} keyOf
 * @param {(item: Item) => P} make
 */
export function reconcile(parent, known, items, keyOf, make) {
  /** @type {Set<string>} */
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
