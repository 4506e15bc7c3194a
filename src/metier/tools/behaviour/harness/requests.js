// Requests run within kit's own store, so that getRequestEvent and sequence work.
import { with_request_store } from '@sveltejs/kit/internal/server';

const nothing = { setAttribute: () => nothing, setAttributes: () => nothing, addEvent: () => nothing, end() {} };

export function within(event, act) {
  const state = {
    prerendering: undefined, transport: {}, handleValidationError: () => ({ message: 'Bad Request' }),
    tracing: { record_span: ({ fn }) => fn(nothing) }, remote: { data: null, forms: null, refreshes: null }, is_in_remote_function: false,
  };
  return with_request_store({ event, state }, act);
}
