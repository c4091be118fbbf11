import { render } from 'preact'
import './style.css'
import { App } from './app.js'
import { connect } from './state.js'

connect()
render(<App />, document.body)
