// Elements, made without markup: whatever is text stays text.

export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties))
    if (key.startsWith('aria-') || key === 'role' || key === 'for')
      made.setAttribute(key, value);
    else if (key === 'class')
      made.className = value;
    else
      made[key] = value;
  made.append(...children);
  return made;
}

// Puts a page of text into the stage and waits for its button.
export function page(stage, title, children, label = 'Continue') {
  return new Promise(resolve => {
    const button = element('button', { class: 'primary', type: 'button', onclick: () => resolve() }, label);
    const heading = element('h1', { tabIndex: -1 }, title);
    stage.replaceChildren(element('section', { class: 'text' }, heading, ...children, element('p', {}, button)));
    button.focus();
  });
}

export const paragraph = text => element('p', {}, text);

export const sleep = milliseconds => new Promise(resolve => setTimeout(resolve, milliseconds));
