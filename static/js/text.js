// Texts in the language of the page. The English text is the key; what the page's block of
// texts does not hold is shown as it is.

const language = document.documentElement.lang || "en";
const block = document.getElementById("texts");
const texts = block ? JSON.parse(block.textContent) : {};
const rules = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);

const fill = (text, params) =>
  text.replace(/\{(\w+)\}/g, (hole, name) => {
    const value = params[name];
    if (value === undefined) return hole;
    return typeof value === "number" ? numbers.format(value) : String(value);
  });

/** `t("{name} is typing…", { name })`: the text, with what stands in braces filled in. */
export const t = (text, params = {}) => fill(texts[text] ?? text, params);

/** `tn("{n} new message", "{n} new messages", n)`: the form that goes with `n`. */
export const tn = (one, many, n, params = {}) => {
  const forms = texts[one] ?? { one, other: many };
  return fill(forms[rules.select(n)] ?? forms.other, { n, ...params });
};
