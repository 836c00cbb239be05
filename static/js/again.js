/*
 * Stands in the page itself, before its module: where that, or a part of it, did not arrive, the page is loaded
 * again, later each time, five times at the most, and never while somebody writes.
 */
{
  const KEY = "qc_again";
  const MOST = 5;
  const KEPT_MS = 600000;
  const BUSY_MS = 5000;

  const tries = () => {
    const [number, at] = JSON.parse(sessionStorage.getItem(KEY) ?? "[0, 0]");
    return Date.now() - at < KEPT_MS ? number : 0;
  };
  // What the server put into a form came from somebody, too.
  const isWriting = () => [...document.querySelectorAll("textarea, input")].some(({ value, defaultValue, tagName }) => value !== defaultValue || (tagName === "TEXTAREA" && value));
  // A page that answers a form cannot be asked for again.
  const isAnswer = () => (performance.getEntriesByType("navigation")[0]?.responseStatus || 200) !== 200;
  let timer = null;
  const stop = () => clearTimeout(timer);
  const again = (number) => {
    if (isWriting()) return (timer = setTimeout(again, BUSY_MS, number));
    sessionStorage.setItem(KEY, JSON.stringify([number + 1, Date.now()]));
    return location.assign(location.pathname + location.search);
  };
  const failed = ({ target }) => {
    if (timer !== null || target?.type !== "module" || isAnswer()) return;
    const number = tries(); // throws where nothing may be kept: then it could go on for ever
    if (number < MOST) timer = setTimeout(again, (0.5 + Math.random()) * 1000 * 2 ** number, number);
  };
  // Somebody goes elsewhere.
  for (const name of ["beforeunload", "pagehide", "submit"]) addEventListener(name, stop);
  addEventListener("error", failed, true);
}
