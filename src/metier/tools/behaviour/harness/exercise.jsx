import { useEffect, useState } from 'react';

export default function Exercise({ label = 'Add' }) {
	const [count, setCount] = useState(0);
	const [text, setText] = useState('');
	useEffect(() => {
		document.title = `${count}`;
	}, [count]);
	return (
		<div style={{ color: 'blue' }}>
			<button onClick={() => setCount((before) => before + 1)}>{label}</button>
			{count > 0 ? <p>{count}</p> : <p>none</p>}
			<label>Text <input value={text} onChange={(event) => setText(event.target.value)} /></label>
			<ul>{[1, 2, count + 3].map((item) => <li key={item}>{item}</li>)}</ul>
		</div>
	);
}
