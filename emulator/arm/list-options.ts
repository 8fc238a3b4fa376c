// What the list of a resource type honours. It stands apart from the code that honours it, so that a resource type can
// name it.

/** An item as its list shows it. */
// biome-ignore lint/suspicious/noExplicitAny: an item has the shape of its resource type
type Item = { readonly [key: string]: any };

/** What a list honours beyond `$top`. */
export interface ListOptions {
  /** The fields that `$filter` may compare, by the name that it gives them. */
  readonly filters?: { readonly [name: string]: (item: Item) => unknown };
  /** The functions that `$filter` may call, such as `atScope()`; each gets the text in the parentheses. */
  readonly functions?: { readonly [name: string]: (item: Item, argument: string) => boolean };
  /** What `$expand` may add to an item, by the name that it gives. An item has it only if it is asked for. */
  readonly expands?: readonly string[];
  /**
   * The entries of a page.
   *
   * @default all of them
   */
  readonly pageSize?: number;
}
