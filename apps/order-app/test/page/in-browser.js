// Runs in the browser, before each page: what the tests ask of it.

/** What has the focus, by its name. */
const nameOfFocused = () => {
  const element = document.activeElement;
  const label = element.labels?.[0]?.textContent;
  return (element.getAttribute('aria-label') ?? label ?? element.textContent).replaceAll(/\s+/g, ' ').trim();
};

const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
const known = new Map();
/** Red, green, blue from 0 to 255 and alpha from 0 to 1, of any colour that CSS can write. */
const rgba = (colour) => {
  if (!known.has(colour)) {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    known.set(colour, [r, g, b, a / 255]);
  }
  return known.get(colour);
};
const over = ([r, g, b, a], [r2, g2, b2]) => [r * a + r2 * (1 - a), g * a + g2 * (1 - a), b * a + b2 * (1 - a), 1];
const backgroundOf = (element) => {
  if (element === null) return [255, 255, 255, 1];
  const own = rgba(getComputedStyle(element).backgroundColor);
  return own[3] === 1 ? own : over(own, backgroundOf(element.parentElement));
};
const linear = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);

const isSeen = (element) =>
  element.checkVisibility() && element.closest('.unseen, .skip, :disabled, option, title, desc') === null;

/** Text whose contrast is below WCAG 2.2 AA (1.4.3): 4.5 to 1, for large text 3 to 1. */
const faintTexts = () => {
  let checked = 0;
  const faint = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    const text = node.textContent.trim();
    if (text === '' || !isSeen(element)) continue;
    const style = getComputedStyle(element);
    const background = backgroundOf(element);
    const ink = over(rgba(element instanceof SVGElement ? style.fill : style.color), background);
    const [low, high] = [luminance(ink), luminance(background)].toSorted((a, b) => a - b);
    const ratio = (high + 0.05) / (low + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    checked += 1;
    if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} "${text.slice(0, 40)}" ${style.color}`);
  }
  return { checked, faint };
};

globalThis.inPage = { nameOfFocused, faintTexts };
