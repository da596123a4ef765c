// What the rater's browser keeps: the token, and an answer that is not confirmed yet.

class Memory {
  /** Of one study: two of one draw differ in their names. */
  constructor(study) {
    this.key = `ganlib-study-${study}`;
  }

  get token() {
    const given = /^#rater=([\w-]+)$/.exec(location.hash);
    return given ? given[1] : localStorage.getItem(this.key);
  }

  keepToken(token) {
    localStorage.setItem(this.key, token);
    this.pending = null;
  }

  get pending() {
    const kept = JSON.parse(localStorage.getItem(`${this.key}-pending`) ?? "null");
    return kept?.token === this.token ? kept?.answer : null;
  }

  set pending(answer) {
    const kept = answer && JSON.stringify({ token: this.token, answer });
    if (kept) localStorage.setItem(`${this.key}-pending`, kept);
    else localStorage.removeItem(`${this.key}-pending`);
  }

  /** Whether the rater is at work in this very tab, so that a reload goes straight on. */
  get atWork() {
    return sessionStorage.getItem(this.key) === this.token;
  }

  beAtWork(token) {
    sessionStorage.setItem(this.key, token);
  }

  forget() {
    this.pending = null;
    localStorage.removeItem(this.key);
    sessionStorage.removeItem(this.key);
    history.replaceState(null, "", location.pathname + location.search);
  }

  get link() {
    return `${location.origin}${location.pathname}${location.search}#rater=${this.token}`;
  }
}
