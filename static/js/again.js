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
  const isWriting = () => [...document.querySelectorAll("textarea, input")].some((field) => field.value !== field.defaultValue);
  const again = (number) => {
    if (isWriting()) return setTimeout(again, BUSY_MS, number);
    sessionStorage.setItem(KEY, JSON.stringify([number + 1, Date.now()]));
    return location.assign(location.pathname + location.search);
  };
  const failed = ({ target }) => {
    if (target?.type !== "module") return;
    const number = tries(); // throws where nothing may be kept: then it could go on for ever
    if (number < MOST) setTimeout(again, 1000 * 2 ** number, number);
  };
  addEventListener("error", failed, true);
}
