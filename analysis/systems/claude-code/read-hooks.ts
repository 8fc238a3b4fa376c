// Reads the hooks of settings, of plugins, and of the frontmatter of agents and skills: the same shape everywhere,
// events with groups of a matcher and its hooks. What Claude Code cannot read becomes a hook that says so, since it is
// silent about it.
import type { ParsedNode } from "yaml";
import type { Place, Text } from "../../place.ts";
import { structural } from "../../place.ts";
import { valueIn } from "../../word-in.ts";
import type { YamlFile } from "../../yaml-file.ts";
import type { Folder } from "../system.ts";
import { isLocked, type Roots, scriptOf, writesOf } from "./hook-shape.ts";
import type { HookNode, NotLoaded, Write } from "./nodes.ts";
import { hookTypes } from "./runtime-facts.ts";

type Value = ParsedNode | null | undefined;

/** Where hooks stand, and for whom they run. */
export interface HookSource {
  readonly file: string;
  readonly yaml: YamlFile;
  /** The value of `hooks`. */
  readonly hooks: Value;
  readonly scope: string;
  readonly roots: Roots;
  readonly disabledAt: Place | undefined;
}

/** Gives one node for each hook, in the order of the file. */
export const readHooks = (folder: Folder, known: ReadonlySet<string>, source: HookSource): readonly HookNode[] =>
  source.yaml.pairs(source.hooks).flatMap((pair, at) => {
    const event = source.yaml.text(pair.key);
    return event === undefined ? [] : new EventReader(folder, known, source, event, at).read(pair.value);
  });

class EventReader {
  readonly #folder: Folder;
  readonly #known: ReadonlySet<string>;
  readonly #source: HookSource;
  readonly #event: Text;
  readonly #at: number;

  constructor(folder: Folder, known: ReadonlySet<string>, source: HookSource, event: Text, at: number) {
    this.#folder = folder;
    this.#known = known;
    this.#source = source;
    this.#event = event;
    this.#at = at;
  }

  read(groups: Value): readonly HookNode[] {
    const { yaml } = this.#source;
    if (!yaml.isSequence(groups)) return [this.#malformed("0", "its value is not a list of groups", this.#event.place)];
    return yaml.items(groups).flatMap((group, at) => this.#group(group, String(at)));
  }

  #group(group: Value, at: string): readonly HookNode[] {
    const { yaml } = this.#source;
    const inner = yaml.get(group, "hooks");
    const matcher = yaml.text(yaml.get(group, "matcher"));
    const isFlat = inner === undefined && (yaml.get(group, "command") ?? yaml.get(group, "type")) !== undefined;
    if (isFlat) {
      const because = "its command stands in the group itself, and Claude Code reads the list `hooks` of the group";
      return [this.#malformed(at, because, yaml.place(group), matcher)];
    }
    if (!yaml.isSequence(inner))
      return [this.#malformed(at, "its group has no list `hooks`", yaml.place(group), matcher)];
    return yaml.items(inner).map((hook, index) => this.#hook(hook, matcher, `${at}/${index}`));
  }

  #hook(hook: Value, matcher: Text | undefined, at: string): HookNode {
    const { yaml, file, roots } = this.#source;
    const text = (key: string): Text | undefined => yaml.text(yaml.get(hook, key));
    const type = text("type");
    const command = text("command");
    const place = yaml.place(hook);
    const node = { ...this.#node(at, matcher, place), type, command, condition: text("if") };
    const fault = this.#faultOf(hook, type);
    if (fault !== undefined) return { ...node, malformed: { reason: "wrong-form", place, because: fault } };
    if (type?.text !== "command" || command === undefined) return node;
    const args = yaml.texts(yaml.get(hook, "args")).map((each) => `"${each.text}"`);
    const whole = [command.text, ...args].join(" ");
    const script = scriptOf(this.#folder, this.#known, whole, roots);
    const content = script?.exists ? this.#folder.read(script.path) : undefined;
    const source = content !== undefined && "text" in content ? content.text : "";
    const writes: readonly Write[] = [...writesOf(whole), ...writesOf(source)];
    return { ...node, name: `${this.#event.text} hook of ${file}`, script, writes, isLocked: isLocked(whole + source) };
  }

  /** A kind that is not known may be newer than this list. */
  #faultOf(hook: Value, type: Text | undefined): string | undefined {
    if (type === undefined) return "it has no type";
    const required = valueIn(hookTypes, type.text);
    if (required === undefined) return `its type is ${type.text}, which Claude Code does not have`;
    return this.#source.yaml.get(hook, required) === undefined ? `it has no ${required}` : undefined;
  }

  #malformed(at: string, because: string, place: Place, matcher?: Text): HookNode {
    const malformed: NotLoaded = { reason: "wrong-form", place, because };
    return { ...this.#node(at, matcher, place), malformed };
  }

  #node(at: string, matcher: Text | undefined, place: Place): HookNode {
    const { file, scope, disabledAt } = this.#source;
    return {
      kind: "hook",
      system: "claude-code",
      id: `hook:${file}#${this.#at}/${at}`,
      name: `${this.#event.text} hook of ${file}`,
      evidence: structural(place),
      file,
      event: this.#event,
      matcher,
      type: undefined,
      command: undefined,
      condition: undefined,
      malformed: undefined,
      script: undefined,
      writes: [],
      isLocked: false,
      scope,
      disabledAt,
      place,
    };
  }
}
