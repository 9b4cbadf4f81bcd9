// What is wrong with a PromQL expression: its syntax, metrics that nobody exports, labels that a metric does not have.
import { parser } from '@prometheus-io/lezer-promql';

/** Prometheus gives them to whatever it scrapes. */
const ofTarget = ['job', 'instance'];
/** Metrics that Prometheus makes itself. */
const ofPrometheus = new Map([['up', new Set(ofTarget)]]);

/** Grafana's variables as something that parses. */
const plain = (expression) =>
  expression
    .replaceAll('$__rate_interval', '5m')
    .replaceAll('$__interval', '1m')
    .replaceAll(/\$\{?\w+\}?/g, 'x');

/** Names of metrics in the text that Prometheus scrapes, each with the labels of its samples. */
export function metricsIn(text) {
  const known = new Map();
  for (const [, name, type] of text.matchAll(/^# TYPE (\S+) (\w+)$/gm))
    for (const suffix of type === 'histogram' ? ['_bucket', '_sum', '_count'] : [''])
      known.set(name + suffix, new Set());
  for (const [, name, labels = ''] of text.matchAll(/^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+/gm))
    for (const [, label] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) known.get(name)?.add(label);
  return known;
}

/**
 * Every fault of an expression. `known`: metrics with their labels, as {@link metricsIn} gives them; undefined: only the syntax is looked at.
 * `shown`: labels that the result must have, as a legend names them.
 */
export function promqlFaults(expression, known, shown = []) {
  const text = plain(expression);
  const tree = parser.parse(text);
  const faults = [];
  tree.iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) faults.push(`syntax error at "${text.slice(from, Math.max(to, from + 12))}"`);
    },
  });
  if (faults.length > 0 || known === undefined) return faults;
  const labels = new Labels(text, known, faults).of(tree.topNode.firstChild);
  for (const label of shown)
    if (labels !== undefined && !labels.has(label)) faults.push(`its result has no label "${label}"`);
  return [...new Set(faults)];
}

/** Which labels the result of a part of an expression has; undefined: a number, or not known after a fault. */
class Labels {
  #text;
  #known;
  #faults;

  constructor(text, known, faults) {
    this.#text = text;
    this.#known = known;
    this.#faults = faults;
  }

  of(node) {
    switch (node?.name) {
      case 'VectorSelector':
        return this.#selected(node);
      case 'AggregateExpr':
        return this.#aggregated(node);
      case 'BinaryExpr':
        return this.#combined(node);
      case 'FunctionCall':
        return this.#called(node);
      default: {
        // Brackets, ranges, offsets: what they are around.
        let found;
        for (let child = node?.firstChild; child; child = child.nextSibling) found = this.of(child) ?? found;
        return found;
      }
    }
  }

  #selected(node) {
    const metric = this.#textOf(node.getChild('Identifier'));
    const exported = this.#known.get(metric) ?? ofPrometheus.get(metric);
    if (exported === undefined) {
      this.#faults.push(`nobody exports "${metric}"`);
      return undefined;
    }
    const labels = new Set([...exported, ...ofTarget]);
    this.#want(this.#names(node.getChild('LabelMatchers')), labels, `"${metric}" has no label`);
    return labels;
  }

  #aggregated(node) {
    const inner = this.of(node.getChild('FunctionCallBody'));
    const modifier = node.getChild('AggregateModifier');
    const wanted = this.#names(modifier?.getChild('GroupingLabels'));
    const without = modifier?.getChild('Without');
    if (inner === undefined) return undefined;
    this.#want(wanted, inner, 'what is aggregated has no label');
    return without ? new Set([...inner].filter((label) => !wanted.includes(label))) : new Set(wanted);
  }

  #combined(node) {
    const [left, right] = node.getChildren('Expr').map((side) => this.of(side));
    const matching = node.getChild('MatchingModifierClause');
    const lists = matching?.getChildren('GroupingLabels') ?? [];
    if (matching?.getChild('On'))
      for (const side of [left, right]) if (side) this.#want(this.#names(lists[0]), side, 'one side has no label');
    // A set of labels that differs on both sides matches nothing, and nobody notices.
    const isSet = node.getChild('Or');
    if (
      left &&
      right &&
      !matching &&
      !isSet &&
      ![...left].every((label) => right.has(label) && left.size === right.size)
    )
      this.#faults.push(`its sides have other labels: ${[...left].join(', ')} and ${[...right].join(', ')}`);
    return left ?? right;
  }

  #called(node) {
    const name = this.#textOf(node.getChild('FunctionIdentifier'));
    const body = node.getChild('FunctionCallBody');
    let inner;
    for (const argument of body?.getChildren('Expr') ?? []) inner = this.of(argument) ?? inner;
    if (name === 'vector') return new Set();
    if (name !== 'histogram_quantile' || inner === undefined) return inner;
    this.#want(['le'], inner, 'the buckets of a histogram have no label');
    return new Set([...inner].filter((label) => label !== 'le'));
  }

  #want(wanted, labels, what) {
    for (const label of wanted) if (!labels.has(label)) this.#faults.push(`${what} "${label}"`);
  }

  /** Names of labels in a list, or in matchers. */
  #names(node) {
    const found = [];
    node?.cursor().iterate((one) => {
      if (one.name === 'LabelName') found.push(this.#text.slice(one.from, one.to));
    });
    return found;
  }

  #textOf(node) {
    return node ? this.#text.slice(node.from, node.to) : '';
  }
}
