// Lists in one place: `$filter`, `$top` and pages. A filter that is not served is refused by name, since a list that is
// not filtered looks like one that is.
import type { ListOptions } from "./list-options.ts";
import { refusedToo, unsupported } from "./refusals.ts";
import type { ArmReply, ArmRequest, Body } from "./resource.ts";

/** The parameters of a list; another one that starts with `$` is refused. */
const known = ["$filter", "$top", "$skiptoken", "$expand"];

/** Answers a list: the items that the filter admits, the first `$top` of them, in pages. @throws ArmError 400 */
export function listReply(request: ArmRequest, items: readonly Body[], options: ListOptions = {}): ArmReply {
  const query = new Map([...request.query].map(([name, value]) => [name.toLowerCase(), value]));
  const other = [...query.keys()].find((name) => name.startsWith("$") && !known.includes(name));
  if (other !== undefined) throw unsupported(`lists with ${other}`);
  const admitted = expanded(filtered(items, query.get("$filter"), options), query.get("$expand"), options);
  const wanted = admitted.slice(0, topOf(query.get("$top")));
  const from = startOf(query.get("$skiptoken"), options);
  const to = from + (options.pageSize ?? Infinity);
  return { status: 200, body: { value: wanted.slice(from, to), ...(to < wanted.length ? next(request, to) : {}) } };
}

function next({ origin, path, query }: ArmRequest, from: number): { readonly nextLink: string } {
  const same = [...query].filter(([name]) => name.toLowerCase() !== "$skiptoken");
  const parameters = [...same, ["$skipToken", String(from)]].map(
    ([name, value]) => `${name}=${encodeURIComponent(value!)}`,
  );
  return { nextLink: `${origin}${path}?${parameters.join("&")}` };
}

/** Leaves out what an item has only if it is asked for. */
function expanded(items: readonly Body[], asked: string | undefined, { expands = [] }: ListOptions): readonly Body[] {
  const wanted = asked?.split(",").map((each) => each.trim()) ?? [];
  if (!wanted.every((each) => expands.includes(each))) throw unsupported(`lists with $expand=${asked}`);
  const left = expands.filter((each) => !wanted.includes(each));
  if (left.length === 0) return items;
  return items.map((item) => Object.fromEntries(Object.entries(item).filter(([name]) => !left.includes(name))));
}

/** Reads where a page starts. Only a link that a list gave has such a token. */
function startOf(token: string | undefined, { pageSize }: ListOptions): number {
  if (token === undefined) return 0;
  if (pageSize === undefined || !/^\d+$/.test(token)) throw refusedToo(`The $skipToken '${token}' is of no list.`);
  return Number(token);
}

function topOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw refusedToo(`$top must be a whole number from 1, not '${text}'.`);
}

/** `name eq 'value'`, with the quotes doubled in the value, or a function's call. */
const term = /^\s*(?:([\w/]+)\s+(eq|ne)\s+(?:'((?:[^']|'')*)'|(true|false))|(\w+)\(\s*(?:'((?:[^']|'')*)')?\s*\))\s*/i;

/** Gives the items that a filter admits: comparisons and calls, all joined by `and`. */
function filtered(items: readonly Body[], filter: string | undefined, options: ListOptions): readonly Body[] {
  const { filters = {}, functions = {} } = options;
  let rest = filter?.trim() ?? "";
  if (rest === "") return items;
  const tests: ((item: Body) => boolean)[] = [];
  for (;;) {
    const [whole, field, operator, text, truth, called, argument] = term.exec(rest) ?? [];
    const read = field && Object.hasOwn(filters, field) ? filters[field] : undefined;
    const call = called && Object.hasOwn(functions, called) ? functions[called] : undefined;
    if (whole === undefined || (!read && !call)) throw unsupported(`the filter '${filter}'`);
    const value = (text ?? truth ?? "").replaceAll("''", "'").toLowerCase();
    if (call) tests.push((item) => call(item, (argument ?? "").replaceAll("''", "'")));
    else
      tests.push((item) => (String(read!(item) ?? "").toLowerCase() === value) === (operator!.toLowerCase() === "eq"));
    rest = rest.slice(whole.length);
    if (rest === "") return items.filter((item) => tests.every((test) => test(item)));
    if (!/^and\s/i.test(rest)) throw unsupported(`the filter '${filter}'`);
    rest = rest.slice("and".length);
  }
}
