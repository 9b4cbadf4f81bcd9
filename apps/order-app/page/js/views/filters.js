import { ask, unlessAborted, withQuery } from '../api.js';
import { h, replace, setText } from '../dom.js';
import { count } from '../format.js';
import { statuses, statusName } from '../parts/notice.js';

/** How long typing must rest before it is searched for. Milliseconds. */
const restMs = 250;

/**
 * What is shown of all orders: status with how many there are, country, text, sorting. `changed` is called after each choice.
 * @param {URLSearchParams} parameters
 * @param {() => void} changed
 */
export function filters(parameters, changed) {
  let status = statuses.find((name) => name === parameters.get('status')) ?? '';
  let country = parameters.get('country') ?? '';
  const search = h('input', {
    type: 'search',
    id: 'search',
    value: parameters.get('search') ?? '',
    placeholder: 'Number, customer, tracking …',
    maxlength: 100,
    autocomplete: 'off',
    on: { input: () => later(), keydown: (event) => event.key === 'Enter' && choose() },
  });
  /** @type {HTMLSelectElement} */
  const countries = h('select', { id: 'country', on: { change: () => ((country = countries.value), choose()) } });
  const sorting = h(
    'select',
    { id: 'sorting', on: { change: () => choose() } },
    h('option', { value: '' }, 'Newest first'),
    h('option', { value: 'number', selected: parameters.get('order') === 'number' }, 'Order number'),
  );
  const radios = ['', ...statuses].map((value) =>
    statusRadio(value, value === status, () => ((status = value), choose())),
  );

  /** @type {number | undefined} */
  let timer;
  function later() {
    clearTimeout(timer);
    timer = setTimeout(choose, restMs);
  }
  function choose() {
    clearTimeout(timer);
    // Not as a new address: going back leaves the list instead of undoing letters.
    history.replaceState(undefined, '', withQuery('#/orders', query()));
    changed();
  }
  function query() {
    return { status, country, search: search.value.trim(), order: sorting.value };
  }

  /** @param {string[]} names */
  function showCountries(names) {
    const all = names.includes(country) || country === '' ? names : [country, ...names];
    replace(
      countries,
      h('option', { value: '' }, 'All countries'),
      all.map((name) => h('option', { value: name, selected: name === country }, name)),
    );
  }
  showCountries([]);
  let known = '';

  const element = h(
    'search',
    { class: 'filters' },
    h(
      'fieldset',
      { class: 'segments' },
      h('legend', { class: 'unseen' }, 'Status'),
      radios.map((radio) => radio.element),
    ),
    h(
      'div',
      { class: 'filter-row' },
      h('div', { class: 'field grow' }, h('label', { for: 'search' }, 'Search'), search),
      h('div', { class: 'field' }, h('label', { for: 'country' }, 'Country'), countries),
      h('div', { class: 'field' }, h('label', { for: 'sorting' }, 'Sort by'), sorting),
    ),
  );
  return {
    element,
    query,
    any: () => status !== '' || country !== '' || search.value.trim() !== '',
    clear() {
      status = '';
      country = '';
      search.value = '';
      countries.value = '';
      radios[0]?.check();
      search.focus();
      choose();
    },
    /** Asks anew how many orders there are of each status, and which countries. @param {AbortSignal} signal */
    async refresh(signal) {
      try {
        const { orders, byStatus, byCountry } = await ask('/api/statistics', { signal });
        const counts = new Map(byStatus.map((entry) => [entry.key, entry.orders]));
        for (const radio of radios) radio.tell(radio.value === '' ? orders : (counts.get(radio.value) ?? 0));
        const names = byCountry.map(({ key }) => key).toSorted((a, b) => a.localeCompare(b, 'en'));
        // An open list would close.
        if (known === names.join('\n')) return;
        known = names.join('\n');
        showCountries(names);
      } catch (cause) {
        // The list beside it says what is wrong.
        unlessAborted(() => {})(cause);
      }
    },
  };
}

/** @param {string} value @param {boolean} checked @param {() => unknown} chosen */
function statusRadio(value, checked, chosen) {
  const input = h('input', { type: 'radio', name: 'status', value, checked, on: { change: chosen } });
  const number = h('span', { class: 'segment-count' });
  return {
    value,
    element: h(
      'label',
      { class: 'segment' },
      input,
      h('span', {}, value === '' ? 'All' : statusName(value), ' ', number),
    ),
    check() {
      input.checked = true;
    },
    /** @param {number} orders */
    tell: (orders) => setText(number, count(orders)),
  };
}
