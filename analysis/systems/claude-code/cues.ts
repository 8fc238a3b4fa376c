// The words by which prose is understood: who is asked, what runs side by side, what uses an earlier result, what only
// looks. They are lists and not grammar, so what they find is inferred; a word that belongs to two readings is left out
// of both.

const phrases = (...all: readonly string[]): RegExp => new RegExp(`\\b(?:${all.join("|")})\\b`, "i");
const stems = (text: string): RegExp => new RegExp(`\\b(?:${text.trim().split(/\s+/).join("|")})\\w*`, "i");

const nameText = "[a-z][\\w:.-]*\\w";
const mark = "[`*_\"'“”]{0,3}";
const verbs =
  "use|using|invoke|invoking|call|calling|launch|launching|spawn|spawning|run|running|ask|have|dispatch|engage|" +
  "start|via|through|delegate (?:\\S+ ){0,4}?to|hand (?:\\S+ ){0,3}?(?:off|over) to|consult";

/** "Use the `x` agent": group 1 is the mark before the name, 2 the name. */
export const asked = new RegExp(
  `\\b(?:${verbs})\\s+(?:the|an?|our|your)?\\s*(${mark})@?(${nameText})${mark}\\s+(?:sub-?)?agents?\\b`,
  "gi",
);
/** "`x` agent", in any sentence. */
export const named = new RegExp(`([\`*"“]{1,3})@?(${nameText})[\`*"”]{1,3}\\s+(?:sub-?)?agent\\b`, "gi");
/** "Delegate the rest to x". */
export const handed = new RegExp(
  "\\b(?:delegate|hand(?:s|ed)? ?off|escalate|forward|route|pass)\\b" +
    `[^.\`*"]{0,60}?\\bto\\s+(?:the\\s+)?(${mark})@?(${nameText})`,
  "gi",
);
export const typed = /subagent_type["']?\s*[:=]\s*["'`]([\w:.-]+)["'`]/g;
export const coded = /\b(?:launch|run|spawn|invoke|call|start)_?(?:sub)?agent\(\s*["'`]([\w:-]+)["'`]/gi;
export const mentioned = /(?:^|[\s("'])@agent-([\w:-]*\w)/g;
export const labelled =
  /^[\s>*_-]*\*{0,2}(?:sub-?)?agent(?: chain| type| used| to use)?s?\*{0,2}\s*:\*{0,2}\s+(\S.*)$/i;
/** An item of a roster: "1. **x** - does y". */
export const roster = /^\s*\d+[.)]\s+\*\*@?([a-z][a-z0-9]*(?:-[a-z0-9]+)+)\*\*\s*(?:[-–—:]|\(|$)/;

/** Whether a line can hold one of these at all, which most lines cannot. */
export const mayDelegate = /agent|delegate|hand|escalate|forward|route|pass|^\s*\d+[.)]\s+\*\*/i;

/** Work that is asked for side by side. */
export const parallel = phrases(
  "in parallel|parallel\\w*|simultaneous\\w*|concurrent\\w*|at the same time|all at once",
  "(?:single|one|same) message|Promise\\.all|run_in_background|in the background|wave \\d",
);

/** What a step that only looks can leave for the next one, and words that point back. */
const earlierWords = phrases(
  "based on|previous|above|prior|earlier|step \\d|phase \\d|outputs?|results?|findings|after|once|depending",
  "accordingly|feedback|using (?:the|its|their|that|what)|with (?:the|its|their) \\w+ (?:from|of)",
  "(?:the|its|their|that|this|those|these) (?:plan|report|analysis|summary|list|recommendations?|inventory|map|answer)",
  "consolidat\\w+|synthesi[sz]\\w+|aggregat\\w+|combin\\w+|merge",
);
export const pointsBack = (text: string): boolean => earlierWords.test(text) || /\$\{?\w+\}?|→|->/.test(text);

const looking = stems(
  `review analy[sz] check audit scan inspect assess identif map catalog inventory discover research explor investigat
  evaluat search list measur detect examin profil survey look find`,
);
const changing = stems(
  `writ fix implement creat updat generat refactor appl(?:y|ies) edit modif deploy commit push migrat install build add
  remov delet renam chang(?!es?\\b) design plan produc prepar configur set.up draft`,
);
/** Whether a step looks at something and changes nothing. */
export const onlyLooks = (text: string): boolean => looking.test(text) && !changing.test(text);

/** A sentence that forbids what follows. */
export const forbids = (before: string): boolean =>
  /\b(?:don'?t|do not|never|instead of|rather than|without|avoid|not|no longer|unlike|skip)\b[^.;,:]{0,30}$/i.test(
    before,
  );
const conditions = phrases("if|when|whenever|unless|optional\\w*|may|might|could|in case|only for|escalat\\w+");
/** Whether what follows is asked for in some cases only: "If …, use", "For databases, use". */
export const isConditional = (before: string): boolean => conditions.test(before) || /^\W*for\b[^,]+,/i.test(before);

const describing = `agent sub subagent sub-agent multi-agent the a an this that each every same single another other new
  first second third next last one two three all any both specialized specialised appropriate right correct relevant
  multiple parallel dedicated background main parent child custom separate general ai llm following selected chosen
  matching corresponding given named default your my our these those it them to type name x y foo bar read-only
  long-running built-in user-facing agent-name agent-type subagent-type`;
const noNames = new Set(describing.split(/\s+/));
/** Whether a word before "agent" describes it, or stands for a name. */
export const isNoName = (name: string): boolean =>
  noNames.has(name.toLowerCase()) ||
  /^(?:your|my|some|example)-|-(?:like|based|specific|level)$/i.test(name) ||
  /^(?:sub-?)?agent-(?:name|type|id|identifier|here)$|-(?:name|placeholder)$/i.test(name);

/** Whether a word has the form and the ending of the names that people give to agents. */
export const looksLikeAgent = (name: string): boolean =>
  /^[a-z0-9:]+(-[a-z0-9:]+)+$/.test(name) &&
  (/(?:er|or|ist|yst|ect|ert|ant|eer|ian|lead|agent|bot|ops|dev|critic|scout|scribe)$/.test(name) ||
    /(?:oracle|chief|architecture|inventory)$/.test(name));
