// What dashboards are built of.

const datasource = { type: 'prometheus', uid: 'prometheus' };
/** Labels as OpenTelemetry's conventions name them. */
export const topic = 'messaging_destination_name';
export const group = 'messaging_consumer_group_name';

export const rate = (metric, matchers = '') => `rate(${metric}{job=~"$job"${matchers}}[$__rate_interval])`;
export const sumBy = (labels, of) => `sum by (${labels}) (${of})`;
export const quantile = (q, metric, labels, matchers) =>
  `histogram_quantile(${q}, ${sumBy(`le, ${labels}`, rate(`${metric}_bucket`, matchers))})`;

export const consuming = `, ${topic}=~"$topic", ${group}=~"$group"`;
export const ofGroup = ', topic=~"$topic", group=~"$group"';
export const place = `{{${topic}}} · {{${group}}}`;
export const lagPlace = '{{topic}} · {{group}}';

/** Green below the first, red from the last. */
export const from = (...steps) => ({
  mode: 'absolute',
  steps: [
    { color: 'green', value: null },
    ...steps.map((value, i) => ({ color: i === steps.length - 1 ? 'red' : 'orange', value })),
  ],
});
export const wellIsOne = {
  mode: 'absolute',
  steps: [
    { color: 'red', value: null },
    { color: 'green', value: 1 },
  ],
};
export const wellOrNot = [
  { type: 'value', options: { 0: { text: 'no', color: 'red' }, 1: { text: 'yes', color: 'green' } } },
];

const targets = (list, more = {}) =>
  list.map(([expr, legendFormat], i) => ({
    datasource,
    refId: String.fromCodePoint(65 + i),
    expr,
    ...(legendFormat !== undefined && { legendFormat }),
    ...more,
  }));

const panel = (type, title, description, list, { unit = 'short', w, h, thresholds, mappings = [], ...rest }) => ({
  type,
  title,
  description,
  datasource,
  size: { w, h },
  targets: targets(list, rest.target),
  fieldConfig: {
    defaults: {
      unit,
      mappings,
      min: 0,
      ...(thresholds && { thresholds }),
      ...(rest.custom && { custom: rest.custom }),
    },
    overrides: [],
  },
  options: rest.options ?? {},
});

export const lines = (title, description, list, more = {}) =>
  panel('timeseries', title, description, list, {
    w: 12,
    h: 8,
    custom: { drawStyle: 'line', fillOpacity: 10, lineWidth: 1, showPoints: 'never', spanNulls: false },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    ...more,
  });
export const stat = (title, description, expr, more = {}) =>
  panel('stat', title, description, [[expr]], {
    w: 4,
    h: 4,
    target: { instant: true },
    options: {
      colorMode: 'background',
      graphMode: 'none',
      reduceOptions: { calcs: ['lastNotNull'] },
      textMode: 'value',
    },
    ...more,
  });
export const states = (title, description, list, more = {}) =>
  panel('state-timeline', title, description, list, {
    w: 24,
    h: 6,
    mappings: wellOrNot,
    thresholds: wellIsOne,
    custom: { fillOpacity: 70, lineWidth: 0 },
    options: { mergeValues: true, showValue: 'never', legend: { showLegend: false } },
    ...more,
  });

const variable = (name, label, metric, of) => ({
  name,
  label,
  type: 'query',
  datasource,
  definition: `label_values(${metric}, ${of})`,
  query: { query: `label_values(${metric}, ${of})`, refId: name },
  refresh: 2,
  sort: 1,
  multi: true,
  includeAll: true,
  allValue: '.*',
  current: { text: ['All'], value: ['$__all'] },
});
const jobVariable = variable('job', 'Service', 'bento_health', 'job');
export const placeVariables = [
  variable('topic', 'Topic', 'bento_group_lag{job=~"$job"}', 'topic'),
  variable('group', 'Group', 'bento_group_lag{job=~"$job"}', 'group'),
];

/** From left to right, in rows of 24. */
function placed(panels) {
  let [x, y, height] = [0, 0, 0];
  return panels.map(({ size: { w, h }, ...rest }, i) => {
    if (x + w > 24) [x, y, height] = [0, y + height, 0];
    const gridPos = { x, y, w, h };
    x += w;
    height = Math.max(height, h);
    return { id: i + 1, ...rest, gridPos };
  });
}

export const dashboard = (name, title, description, variables, panels) => ({
  uid: `bento-${name}`,
  title: `Bento Bus: ${title}`,
  description,
  tags: ['bento'],
  schemaVersion: 41,
  version: 1,
  editable: false,
  graphTooltip: 1,
  refresh: '10s',
  timezone: 'browser',
  time: { from: 'now-1h', to: 'now' },
  links: [
    { type: 'dashboards', title: 'Bento Bus', tags: ['bento'], asDropdown: true, keepTime: true, includeVars: true },
  ],
  templating: { list: [jobVariable, ...variables] },
  panels: placed(panels),
});

/** JSON as the formatter of this repository has it: lists of plain values on one line where they fit. */
export function print(value, indent = '') {
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    const line = `[${value.map((one) => JSON.stringify(one)).join(', ')}]`;
    if (value.every((one) => typeof one !== 'object' || one === null) && line.length < 80) return line;
    return `[\n${value.map((one) => inner + print(one, inner)).join(',\n')}\n${indent}]`;
  }
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  if (entries.length === 0) return '{}';
  return `{\n${entries.map(([key, one]) => `${inner}${JSON.stringify(key)}: ${print(one, inner)}`).join(',\n')}\n${indent}}`;
}
