"""How gunicorn runs the Flask service and writes its access log."""

import os

wsgi_app = "qrl.shop:app"
threads = 4
bind = f"127.0.0.1:{os.environ['QRL_FLASK_PORT']}"
accesslog = os.environ["QRL_FLASK_ACCESS_LOG"]
control_socket_disable = True
# Its default format, then the user in quotes and the duration in microseconds.
access_log_format = '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s" "%({x-user}i)s" %(D)s'
