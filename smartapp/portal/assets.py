"""What the portal's blueprints share: templates, the viewer's files, and the filters that put things into words."""

from flask import Blueprint

from smartapp.portal import dates, safe_html, words

blueprint = Blueprint(
    "portal", __name__, static_folder="static", static_url_path="/portal", template_folder="templates"
)

blueprint.add_app_template_filter(dates.day)
blueprint.add_app_template_filter(dates.moment)
blueprint.add_app_template_filter(safe_html.report_html)
blueprint.add_app_template_filter(words.study_title)
blueprint.add_app_template_filter(words.study_holds)
blueprint.add_app_template_filter(words.study_line)
blueprint.add_app_template_filter(words.series_title)
blueprint.add_app_template_filter(words.report_standing)
blueprint.add_app_template_filter(words.kind_of_file)
